import { isAbsolute, resolve } from "node:path";
import type { DatabaseConfig } from "./config.js";
import type { SettingReader } from "./setting-reader.js";

/** Where rows are kept: a file of SQLite, in the data folder unless another one is named, or Postgres. */
export function parseDatabase(read: SettingReader, dataDir: string): DatabaseConfig {
  const byDefault: DatabaseConfig = { kind: "sqlite", path: resolve(dataDir, "parley.db") };
  const url = read.text("DATABASE_URL");
  if (url === null) return byDefault;
  if (isPostgres(url) && URL.canParse(url)) return { kind: "postgresql", url };
  const path = /^file:(?:\/\/(?=\/))?([^?]+)$/.exec(url)?.[1];
  if (path !== undefined) return { kind: "sqlite", path: isAbsolute(path) ? path : resolve(path) };
  read.refuse(`DATABASE_URL ${mistakeIn(url)}`);
  return byDefault;
}

function isPostgres(url: string): boolean {
  return /^postgres(ql)?:\/\//.test(url);
}

/** Which rule the address breaks. No more of it is repeated than its scheme: the rest may hold a password. */
function mistakeIn(url: string): string {
  if (isPostgres(url))
    return "can't be read as an address: postgresql://USER:PASSWORD@HOST:PORT/NAME, where signs in the password are percent-encoded.";
  if (url.startsWith("file:") && url.includes("?")) return "must have no parameters after a file's path.";
  if (url.startsWith("file:")) return "names no file: file:PATH, such as file:./data/parley.db.";
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url) ?? [];
  if (scheme !== undefined) return `is of ${scheme}://, which Parley does not use: file: or postgresql://.`;
  return "must begin with file: or postgresql://; a file's path stands after file:, as in file:./data/parley.db.";
}
