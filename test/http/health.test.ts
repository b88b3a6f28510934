import { rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import type { Database } from "../../src/db/database.js";
import { Readiness } from "../../src/services/readiness.js";
import type { ReadinessReport } from "../../src/services/readiness.js";
import { onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";

interface Answer {
  status: number;
  cacheControl: string | undefined;
  text: string;
}

/** Asked as a load balancer does: by address. */
function get(parley: TestParley, path: string, host = "10.1.2.3:4000"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(parley.url + path, { headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          cacheControl: response.headers["cache-control"],
          text: Buffer.concat(chunks).toString(),
        }),
      );
    })
      .on("error", reject)
      .end();
  });
}

async function readiness(parley: TestParley): Promise<{ status: number; report: ReadinessReport }> {
  const { status, text } = await get(parley, "/readyz");
  return { status, report: JSON.parse(text) as ReadinessReport };
}

const allWell = { database: "ok", migrations: "ok", store: "ok", accepting: true };

onEachDatabase("the health of a server", (kind) => {
  it("is told to whoever asks, whatever host they name", async () => {
    const parley = await TestParley.start(kind);
    const answer = { status: 200, cacheControl: "no-store" };
    expect(await get(parley, "/healthz")).toEqual({ ...answer, text: '{"status":"ok"}' });
    expect(await get(parley, "/readyz")).toEqual({
      ...answer,
      text: JSON.stringify({ ready: true, checks: allWell }),
    });
    expect((await get(parley, "/graphql")).status).toBe(403);
  });

  it("is bad while a migration is missing", async () => {
    const parley = await TestParley.start(kind);
    await parley.server.context.database.client.$executeRaw`DELETE FROM "_prisma_migrations"`;
    expect(await readiness(parley)).toEqual({
      status: 503,
      report: { ready: false, checks: { ...allWell, migrations: "failed" } },
    });
    expect((await get(parley, "/healthz")).status).toBe(200);
  });

  it("is bad while audio can't be stored; why stands in the log alone", async () => {
    const parley = await TestParley.start(kind);
    const drafts = join(parley.dataDir, "audio", "drafts");
    await rm(drafts, { recursive: true, force: true });
    await writeFile(drafts, "no folder");
    expect(await readiness(parley)).toEqual({
      status: 503,
      report: { ready: false, checks: { ...allWell, store: "failed" } },
    });
    expect(parley.log.join("")).toMatch(/ENOTDIR/);
    await rm(drafts);
    expect((await readiness(parley)).status).toBe(200);
  });

  it("is that of one that takes nothing new once it shuts down", async () => {
    const parley = await TestParley.start(kind, { env: { SHUTDOWN_GRACE_MS: "60000" } });
    const pause = parley.standIn.pauseNext("before-answer");
    await askByText(parley, await startedConversation(parley), "Hello", { waitMs: 0 });
    await pause.reached;
    const closing = parley.server.close();
    expect(await readiness(parley)).toEqual({
      status: 503,
      report: { ready: false, checks: { ...allWell, accepting: false } },
    });
    expect((await get(parley, "/healthz")).status).toBe(200);
    pause.release();
    await closing;
  });
});

describe("A database that does not answer", () => {
  it("is not waited for, and not asked again before it has answered", async () => {
    const asked: ((rows: unknown[]) => void)[] = [];
    const silent = () => new Promise((resolve) => void asked.push(resolve));
    const log: string[] = [];
    const readiness = new Readiness({
      database: { kind: "sqlite", client: { $queryRaw: silent } } as unknown as Database,
      store: { check: () => Promise.reject(new Error("no room")) },
      runner: { isClosing: false },
      logger: pino({ level: "warn" }, { write: (line: string) => void log.push(line) }),
      timeLimitMs: 5,
    });
    const checks = { database: "failed", migrations: "failed", store: "failed", accepting: true };
    expect(await readiness.report()).toEqual({ ready: false, checks });
    await readiness.report();
    expect(asked).toHaveLength(2);
    asked[0]?.([]);
    expect((await readiness.report()).checks.database).toBe("ok");
    await readiness.report();
    expect(asked).toHaveLength(3);
    expect(log.join("")).toMatch(/no answer within 5 ms[^]*no room/);
  });
});
