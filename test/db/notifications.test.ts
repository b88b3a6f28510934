import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { notificationsOf } from "../../src/db/notifications.js";
import { freshDatabaseUrl } from "../helpers/databases.js";
import { Channel } from "../live/channel.js";

/** Stands between a server and Postgres; `freeze` passes on nothing more of the connections that are open. */
class Wire {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(postgres: URL) {
    this.#server = createServer((near) => {
      const far = connect(Number(postgres.port), postgres.hostname);
      this.#sockets.push(near, far);
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.pipe(far);
      far.pipe(near);
    });
  }

  static async to(postgres: URL): Promise<{ wire: Wire; url: string }> {
    const wire = new Wire(postgres);
    wires.add(wire);
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    const url = new URL(postgres);
    url.hostname = "127.0.0.1";
    url.port = String((wire.#server.address() as AddressInfo).port);
    return { wire, url: url.href };
  }

  freeze(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const wires = new Set<Wire>();

afterEach(() => {
  for (const wire of wires) wire.close();
  wires.clear();
});

async function next(heard: Channel<string | null>): Promise<unknown> {
  return (await heard.next()).value;
}

describe("the connection on which servers wake each other", () => {
  it("is made again where it has fallen silent, although nobody closed it", async () => {
    const database = await freshDatabaseUrl("postgresql", "");
    const { wire, url } = await Wire.to(new URL(database));
    const parts = { logger: pino({ level: "silent" }), probing: { everyMs: 50, limitMs: 500 } };
    const open = (serverId: string, at: string, heard: Channel<string | null>) =>
      notificationsOf({ kind: "postgresql", url: at }, { serverId, ...parts })?.((word) => heard.send(word));
    const [heard, otherHeard] = [new Channel<string | null>(), new Channel<string | null>()];
    const [one, other] = [open("srv_1", url, heard), open("srv_2", database, otherHeard)];
    expect([await next(heard), await next(otherHeard)]).toEqual([null, null]);
    wire.freeze();
    // Told when it is open anew: what was said meanwhile was not heard.
    expect(await next(heard)).toBeNull();
    other?.send(["turn_1"]);
    expect(await next(heard)).toBe("turn_1");
    await Promise.all([one?.close(), other?.close()]);
  });
});
