import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { ConfigError } from "./config.js";

/** Settings by name, as text. A setting that is empty counts as absent. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The environment, over a `.env` file in the working directory where there is one.
 * @throws ConfigError where there is one that can't be read
 */
export function readEnv(dotEnvPath = ".env"): Env {
  return { ...readDotEnv(dotEnvPath), ...process.env };
}

function readDotEnv(path: string): Env {
  try {
    // Editors on Windows put a byte order mark first, which would become part of the first name.
    return { ...parseEnv(readFileSync(path, "utf8").replace(/^\uFEFF/, "")) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return {};
    throw new ConfigError([`The file ${path} can't be read: ${String(error)}`]);
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : null;
}
