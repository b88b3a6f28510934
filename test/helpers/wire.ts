import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach } from "@jest/globals";
import { openSql } from "./sql.js";

/** What a program meets that sends something on a connection of which it does not know that it is gone. */
export type Breakage = "Postgres' last words" | "an end" | "a reset";

/** Stands between a program and Postgres. */
export class Wire {
  readonly #server: Server;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  readonly #postgres: URL;

  private constructor(postgres: URL) {
    this.#postgres = postgres;
    this.#server = createServer((near) => {
      const pair = { near, far: connect(Number(postgres.port), postgres.hostname) };
      this.#pairs.add(pair);
      for (const socket of [near, pair.far]) socket.on("error", () => undefined);
      near.on("close", () => {
        pair.far.destroy();
        this.#pairs.delete(pair);
      });
      near.pipe(pair.far);
      pair.far.pipe(near);
    });
  }

  /** Gone after the test. `url` is the database's, by way of the wire. */
  static async to(database: string): Promise<{ wire: Wire; url: string }> {
    const wire = new Wire(new URL(database));
    wires.add(wire);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    const url = new URL(database);
    url.hostname = "127.0.0.1";
    url.port = String((wire.#server.address() as AddressInfo).port);
    return { wire, url: url.href };
  }

  /** Passes on nothing more of the connections that are open. */
  freeze(): void {
    for (const { near, far } of this.#pairs)
      for (const socket of [near, far]) {
        socket.unpipe();
        socket.pause();
      }
  }

  /** Ends all that the program has open at Postgres; it notices only when it sends something. Resolves to how many. */
  async cutUnnoticed(breakage: Breakage): Promise<number> {
    const open = [...this.#pairs];
    for (const { near, far } of open) {
      far.unpipe(near);
      near.unpipe(far);
      far.pause();
    }
    await endSessions(this.#postgres.href);
    for (const pair of open) pair.near.once("data", () => tell(pair, breakage)).resume();
    return open.length;
  }

  close(): void {
    for (const { near, far } of this.#pairs) for (const socket of [near, far]) socket.destroy();
    this.#server.close();
  }
}

function tell({ near, far }: { near: Socket; far: Socket }, breakage: Breakage): void {
  if (breakage === "Postgres' last words") far.pipe(near);
  else if (breakage === "an end") near.end();
  else near.resetAndDestroy();
}

/** Resolves when they are gone, not only told to go. */
async function endSessions(database: string): Promise<void> {
  const sql = await openSql(database);
  const others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
  await sql(`SELECT pg_terminate_backend(pid, 30000) ${others}`);
}

const wires = new Set<Wire>();

afterEach(() => {
  for (const wire of wires) wire.close();
  wires.clear();
});
