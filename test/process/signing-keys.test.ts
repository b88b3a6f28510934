import { expect, it } from "@jest/globals";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";
import { TestParley } from "../helpers/parley.js";
import { createdUpload, put } from "../helpers/uploads.js";

async function run(databaseUrl: string, ...args: string[]) {
  const folder = await temporaryFolder();
  const env = { DATABASE_URL: databaseUrl, DATA_DIR: folder };
  return new ChildProgram("src/cli/parley.ts", folder, env, ["signing-keys", ...args]).ended;
}

const bytes = Buffer.from("sound");

it("replaces the key of signed URLs while the server runs, and ends the old ones only where it is told to", async () => {
  const parley = await TestParley.start("sqlite");
  const port = new URL(parley.url).port;
  const first = await createdUpload(parley, bytes.byteLength);
  expect(await run(parley.databaseUrl, "rotate")).toMatchObject({ code: 0, stderr: "" });
  expect((await put(first.uploadUrl, bytes)).status).toBe(200);
  expect(await run(parley.databaseUrl, "rotate", "--end-old-urls")).toMatchObject({ code: 0, stderr: "" });
  // What it still knows of the keys would be old within a minute.
  await parley.restart({ PORT: port });
  expect(await put(first.uploadUrl, bytes)).toMatchObject({ status: 403, code: "FORBIDDEN" });
  const second = await createdUpload(parley, bytes.byteLength);
  expect((await put(second.uploadUrl, bytes)).status).toBe(200);
});
