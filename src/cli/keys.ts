import { parseArgs } from "node:util";
import { ApiKeys } from "../auth/api-keys.js";
import type { NewApiKey } from "../auth/api-keys.js";
import { isScope, scopes } from "../auth/viewer.js";
import type { Scope } from "../auth/viewer.js";
import type { ApiKeyRow } from "../db/rows.js";
import { readNumber } from "./read-number.js";
import { RefusedError, UsageError } from "./usage-error.js";
import type { Command, CommandContext } from "./command.js";

const dayMs = 24 * 60 * 60 * 1000;
const members: readonly Scope[] = ["conversations:read", "conversations:write"];

/** `keys create`, `keys list`, `keys revoke`: what programs sign in with where AUTH is api-key. */
export const keys: Command = {
  usage: [
    "keys create --name NAME --owner PERSON [--tenant TENANT] [--scope SCOPE]... [--days N]",
    `    makes a key and prints it once. Scopes: ${scopes.join(", ")}; without one: ${members.join(", ")}.`,
    "    PERSON and TENANT (default: default) are your own names: keys of one person share their conversations.",
    "    --days N: how long it is good; without it until it is revoked.",
    "keys list [--json]",
    "    all keys: whose they are, what they allow, when they were last used. Nobody can read the keys themselves.",
    "keys revoke ID",
    "    the key is good nowhere from now on; what is open with it is closed within 15 s.",
  ],
  run: async (context, [action, ...args]) => {
    switch (action) {
      case "create":
        return create(context, args);
      case "list":
        return list(context, args);
      case "revoke":
        return revoke(context, args);
      default:
        throw new UsageError("keys needs create, list or revoke.");
    }
  },
};

async function create({ config, database, print }: CommandContext, args: string[]): Promise<void> {
  const { key, row } = await new ApiKeys(database.client).create(readNewKey(args));
  print(key);
  print("");
  print(`This is the only time that it is shown. Its id, to revoke it: ${row.id}`);
  if (config.auth.kind !== "api-key") print("Keys are looked at only by a server with AUTH=api-key.");
}

function readNewKey(args: string[]): NewApiKey {
  const { values } = parseArgs({
    args,
    options: {
      name: { type: "string" },
      owner: { type: "string" },
      tenant: { type: "string" },
      scope: { type: "string", multiple: true },
      days: { type: "string" },
    },
  });
  return {
    name: nameOf("--name", values.name),
    owner: nameOf("--owner", values.owner),
    tenantId: nameOf("--tenant", values.tenant ?? "default"),
    scopes: readScopes(values.scope ?? members),
    expiresAt: readDays(values.days),
  };
}

function nameOf(option: string, text: string | undefined): string {
  const name = text?.trim() ?? "";
  if (name === "") throw new UsageError(`keys create needs ${option}.`);
  if (name.length > 200 || /\p{Cc}/u.test(name))
    throw new RefusedError(`${option} takes at most 200 characters, none of them a control character.`);
  return name;
}

/** Whoever changes a conversation is answered with it, so that writing includes reading. */
function readScopes(texts: readonly string[]): Scope[] {
  const chosen = new Set<Scope>();
  for (const text of texts) {
    if (!isScope(text)) throw new RefusedError(`There is no scope "${text}". Scopes: ${scopes.join(", ")}.`);
    if (text === "conversations:write") chosen.add("conversations:read");
    chosen.add(text);
  }
  return [...chosen];
}

function readDays(text: string | undefined): Date | null {
  if (text === undefined) return null;
  const days = readNumber("--days", text, { fallback: 1, min: 1, max: 99_999 });
  return new Date(Date.now() + days * dayMs);
}

async function list({ database, print }: CommandContext, args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { json: { type: "boolean" } } });
  const rows = await new ApiKeys(database.client).list();
  if (values.json === true) {
    print(JSON.stringify(rows.map(told), null, 2));
    return;
  }
  if (rows.length === 0) print("There are no keys. Make one: npm run parley -- keys create --help");
  for (const row of rows.map(told)) {
    print(`${row.id}  ${row.state}  ${row.name}`);
    print(`    of ${row.owner} in ${row.tenant}, for ${row.scopes.join(", ")}`);
    print(
      `    made ${row.createdAt}, ends ${row.expiresAt ?? "never"}, last used ${row.lastUsedAt ?? "never"}`,
    );
  }
}

/** A key without anything that could be used to sign in or to guess it. */
function told(row: ApiKeyRow) {
  return {
    id: row.id,
    state: stateOf(row),
    name: row.name,
    owner: row.owner,
    tenant: row.tenantId,
    viewerId: row.viewerId,
    scopes: row.scopes.split(" "),
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}

function stateOf({ revokedAt, expiresAt }: ApiKeyRow): "good" | "revoked" | "over" {
  if (revokedAt !== null) return "revoked";
  return expiresAt !== null && expiresAt <= new Date() ? "over" : "good";
}

async function revoke({ database, print }: CommandContext, [id]: string[]): Promise<void> {
  if (id === undefined)
    throw new RefusedError("keys revoke needs the id of a key: npm run parley -- keys list tells them.");
  const row = await new ApiKeys(database.client).revoke(id);
  if (row === null) throw new RefusedError(`There is no key ${id}: npm run parley -- keys list tells all.`);
  print(
    `${row.id} (${row.name}, of ${row.owner}) is revoked since ${row.revokedAt?.toISOString() ?? "now"}.`,
  );
}
