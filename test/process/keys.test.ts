import { expect, it } from "@jest/globals";
import { ChildProgram, ParleyProcess, temporaryFolder } from "../helpers/parley-process.js";
import { sendOperation } from "../helpers/parley.js";

const readViewer = "{ viewer { id } }";

async function parley(folder: string, ...args: string[]) {
  return new ChildProgram("dist/cli/parley.js", folder, { AUTH: "api-key" }, args).ended;
}

it("makes, lists and revokes keys while the server runs, and the server goes by them at once", async () => {
  const folder = await temporaryFolder();
  const server = await ParleyProcess.start(folder, { AUTH: "api-key" });
  const created = await parley(folder, "keys", "create", "--name", "phone", "--owner", "ada", "--days", "30");
  expect(created).toMatchObject({ code: 0, stderr: "" });
  const [key = ""] = created.stdout.split("\n");
  const [id = ""] = /apikey_\w+/.exec(created.stdout) ?? [];
  const status = async () =>
    (await sendOperation(server.url, readViewer, {}, { authorization: `Bearer ${key}` })).status;
  expect(await status()).toBe(200);

  const listed = await parley(folder, "keys", "list");
  expect(listed.stdout).toMatch(
    new RegExp(`${id} {2}good {2}phone\n.*of ada in default, for conversations:read`),
  );
  expect(listed.stdout).not.toContain(key);
  expect(listed.stdout).not.toContain("last used never");

  expect(await parley(folder, "keys", "revoke", id)).toMatchObject({ code: 0 });
  expect(await status()).toBe(401);
  const after = JSON.parse((await parley(folder, "keys", "list", "--json")).stdout) as unknown;
  expect(after).toMatchObject([{ id, state: "revoked", owner: "ada", tenant: "default" }]);
});

function days(text: string): string[] {
  return ["keys", "create", "--name", "phone", "--owner", "ada", "--days", text];
}

it.each([
  [[], "Say what is to be done"],
  [["keys"], "keys needs create, list or revoke"],
  [["keys", "create", "--name", "phone"], "needs --owner"],
  [days("0"), '--days must be a whole number from 1 to 99999; it is "0".'],
  [days("-3"), '--days must be a whole number from 1 to 99999; it is "-3".'],
  [days("100000"), '--days must be a whole number from 1 to 99999; it is "100000".'],
  [["keys", "create", "--unheard"], "--unheard"],
  [["locks"], 'no command "locks"'],
])("says what is wrong with %j, and where to look", async (args, sentence) => {
  const { code, stdout, stderr } = await parley(await temporaryFolder(), ...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(sentence);
  expect(stderr).toContain("npm run parley -- --help");
});

it.each([
  [["keys", "create", "--name", "phone", "--owner", "ada", "--scope", "all"], /no scope "all"\. Scopes: \w/],
  [["keys", "revoke"], /needs the id of a key: npm run parley -- keys list tells/],
  [["keys", "revoke", "apikey_x"], /no key apikey_x: npm run parley -- keys list tells all/],
])("says with %j what to do instead, and nothing else", async (args, sentence) => {
  const { code, stdout, stderr } = await parley(await temporaryFolder(), ...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(sentence);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});
