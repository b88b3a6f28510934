import { readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { parseConfig } from "../../src/config/parse-config.js";
import { migrate } from "../../src/db/migrations.js";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import {
  ParleyProcess,
  azureSettings,
  spawnParley,
  temporaryFolder,
  testStandIn,
} from "../helpers/parley-process.js";
import { openSql } from "../helpers/sql.js";

const readProvider = "{ capabilities { provider } }";

async function providerOf(parley: ParleyProcess): Promise<string> {
  const { capabilities } = await parley.ask<{ capabilities: { provider: string } }>(readProvider);
  return capabilities.provider;
}

const listeners = new Set<Server>();
afterEach(() => {
  for (const listener of listeners) listener.close();
  listeners.clear();
});

async function takenPort(): Promise<string> {
  const server = createServer();
  listeners.add(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return String((server.address() as AddressInfo).port);
}

describe("a server that starts", () => {
  it("says where it is ready and where people talk, and on the log that the stand-in answers and, last, that it has stopped", async () => {
    const folder = await temporaryFolder();
    const parley = await ParleyProcess.start(folder, { PORT: "0" });
    expect(await providerOf(parley)).toBe("STAND_IN");
    const turn = await askByText(parley, await startedConversation(parley), "Say 'one two'.");
    expect([turn.status, turn.assistantMessage?.content]).toEqual(["COMPLETED", "one two"]);
    const { code, stdout, stderr } = await parley.stop();
    expect(code).toBe(0);
    expect(stdout).toBe(`Parley is ready at ${parley.url}/graphql\nTalk to it at ${parley.url}\n`);
    expect(stderr).toContain("the stand-in answers");
    expect(stderr.trimEnd().split("\n").at(-1)).toMatch(/Parley has stopped/);
    expect(parley.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    // Without settings everything lies in ./data of the working directory.
    expect(await readdir(join(folder, "data"))).toEqual(expect.arrayContaining(["parley.db", "audio"]));
  });

  const onUnix = process.platform === "win32" ? it.skip : it;
  onUnix("makes the folder and the files of its data for its own user alone", async () => {
    const folder = await temporaryFolder();
    const parley = await ParleyProcess.start(folder, {});
    await startedConversation(parley);
    const modeOf = async (name: string) => ((await stat(join(folder, name))).mode & 0o777).toString(8);
    expect(await modeOf("data")).toBe("700");
    for (const name of ["parley.db", "parley.db-wal", "parley.db-shm"])
      expect([name, await modeOf(join("data", name))]).toEqual([name, "600"]);
  });

  it("reads .env in its working directory, is answered by Azure where an endpoint is set, and says that a key turns keyless sign-in off", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const settings = { ...azureSettings(standIn), AZURE_OPENAI_ENDPOINT: `${standIn.url}/openai/v1/` };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(join(folder, ".env"), `${lines.join("")}AUHT=api-key\n`);
    const parley = await ParleyProcess.start(folder, {});
    expect(await providerOf(parley)).toBe("AZURE");
    const turn = await askByText(parley, await startedConversation(parley), "Say 'one'.");
    expect(turn.status).toBe("COMPLETED");
    expect(standIn.requests).toMatchObject([
      {
        path: "/openai/deployments/test-deployment/chat/completions",
        apiVersion: "2025-01-01-preview",
        credential: { kind: "api-key", value: "test-key" },
      },
    ]);
    expect(parley.program.stderr).toContain("keyless sign-in with Microsoft Entra ID is off");
    expect(parley.program.stderr).toContain(
      "turns go to Azure OpenAI; it is asked nothing before the first one",
    );
    expect(parley.program.stderr).not.toContain("stand-in answers");
    expect(parley.program.stderr).toContain("AUHT (in the .env file) is no setting of Parley");
  });

  it("for production says in JSON, last, that it has stopped, and names no page where there is none", async () => {
    const env = { NODE_ENV: "production", STAND_IN: "1", PAGE: "0" };
    const parley = await ParleyProcess.start(await temporaryFolder(), env);
    const { code, stdout, stderr } = await parley.stop();
    expect([code, stdout]).toEqual([0, `Parley is ready at ${parley.url}/graphql\n`]);
    const lines = stderr.trimEnd().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ level: 30, msg: "Parley has stopped" });
  });

  it("listens on the loopback address that it is given, and says it as a URL", async () => {
    const parley = await ParleyProcess.start(await temporaryFolder(), { HOST: "[::1]" });
    expect(parley.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect(await providerOf(parley)).toBe("STAND_IN");
  });
});

/** What it says on standard error; it must have ended with 1 and said nothing on standard output. */
async function refusal(env: Record<string, string>, folder?: string): Promise<string> {
  const { code, stdout, stderr } = await spawnParley(folder ?? (await temporaryFolder()), env).ended;
  expect([code, stdout]).toEqual([1, ""]);
  // A sentence for a person, not a stack.
  expect(stderr).not.toMatch(/^\s+at /m);
  return stderr;
}

describe("a server that can't start ends with 1 and says why", () => {
  it("where settings are wrong: all of them", async () => {
    const stderr = await refusal({
      PORT: "x",
      LEASE_MS: "1",
      AZURE_OPENAI_ENDPOINT: "x",
      NODE_ENV: "production",
    });
    for (const name of ["PORT", "LEASE_MS", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT_NAME"])
      expect(stderr).toContain(`  - ${name} `);
  });

  it("where a line of its .env can't be meant: which one", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, ".env"), "PORT 4000\nAUTH=api-key\n");
    expect(await refusal({}, folder)).toContain(
      "The file .env, line 1, is neither NAME=value nor a comment.",
    );
  });

  it("where the port is taken: what to do", async () => {
    const port = await takenPort();
    const stderr = await refusal({ PORT: port });
    expect(stderr).toContain(
      `Port ${port} is taken: end the program that listens there, or set PORT to another one.`,
    );
  });

  it("where the host is no address of this machine: what to do", async () => {
    const stderr = await refusal({ HOST: "203.0.113.1", PORT: "0", AUTH: "api-key" });
    expect(stderr).toContain(
      "HOST 203.0.113.1 is no address of this machine: set HOST to one that it has, or to 0.0.0.0 for all.",
    );
  });

  it("where Postgres can't be reached: which one, without its password", async () => {
    const port = await takenPort();
    for (const listener of listeners) listener.close();
    const stderr = await refusal({ DATABASE_URL: `postgresql://parley:hunter2@127.0.0.1:${port}/words` });
    expect(stderr).toContain(`127.0.0.1:${port}/words`);
    expect(stderr).toContain("ECONNREFUSED");
    expect(stderr).toContain("DATABASE_URL");
    expect(stderr).not.toContain("hunter2");
  });

  it("where Postgres has no such database: how to create it", async () => {
    const url = new URL(await freshDatabaseUrl("postgresql", ""));
    url.pathname = "/words_of_nobody";
    expect(await refusal({ DATABASE_URL: url.href })).toMatch(
      /"words_of_nobody" does not exist\. Create it: createdb words_of_nobody\n$/,
    );
  });

  it("where the folder of its data can't be written: which one", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    const stderr = await refusal({ DATA_DIR: join(folder, "file", "data") });
    expect(stderr).toContain(join(folder, "file", "data", "parley.db"));
    expect(stderr).toContain("DATA_DIR");
  });

  const onLinux = process.platform === "linux" ? it : it.skip;
  onLinux("where the system lets no folder be made, and says that the one above is missing", async () => {
    const stderr = await refusal({ DATA_DIR: "/proc/parley/data" });
    expect(stderr).toContain("/proc/parley/data/parley.db");
    expect(stderr).toContain("DATA_DIR");
  });

  it("where the folder of its audio can't be written, although the database can", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    const env = { DATA_DIR: join(folder, "file"), DATABASE_URL: await freshDatabaseUrl("postgresql", "") };
    const stderr = await refusal(env);
    expect(stderr).toContain(join(folder, "file"));
    expect(stderr).toContain("DATA_DIR");
  });
});

onEachDatabase("a database made by a newer version", (kind) => {
  it("is refused with a sentence, and left as it is", async () => {
    const folder = await temporaryFolder();
    const url = await freshDatabaseUrl(kind, folder);
    const env = { DATABASE_URL: url, DATA_DIR: folder };
    await migrate(parseConfig(env).database);
    const query = await openSql(url);
    await query(
      `INSERT INTO "_prisma_migrations" ("id", "checksum", "finished_at", "migration_name", "applied_steps_count") VALUES ('x', 'x', CURRENT_TIMESTAMP, '29990101000000_future', 1)`,
    );
    const before = await query('SELECT * FROM "_prisma_migrations" ORDER BY "id"');
    const stderr = await refusal(env, folder);
    expect(stderr).toMatch(/newer version of Parley.*29990101000000_future.*Run that version/);
    expect(await query('SELECT * FROM "_prisma_migrations" ORDER BY "id"')).toEqual(before);
  });
});
