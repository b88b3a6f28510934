import { readFileSync } from "node:fs";
import { codeOfError } from "../code-of-error.js";
import { ConfigError } from "./config.js";
import { parseDotEnv } from "./dot-env.js";
import { warningsAbout } from "./setting-warnings.js";

/** Settings by name, as text. A setting that is empty counts as absent. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface ReadSettings {
  env: Env;
  /** What was set and does nothing, a sentence each: for the log. */
  warnings: readonly string[];
}

/**
 * The environment, over a `.env` file in the working directory where there is one.
 * @throws ConfigError where there is one that can't be read, or holds lines that can't be meant
 */
export function readSettings(dotEnvPath = ".env"): ReadSettings {
  const fromFile = readDotEnv(dotEnvPath);
  const env = { ...fromFile, ...process.env };
  return { env, warnings: warningsAbout(env, Object.keys(fromFile)) };
}

function readDotEnv(path: string): Env {
  try {
    return parseDotEnv(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (codeOfError(error) === "ENOENT") return {};
    throw new ConfigError([`The file ${path} can't be read: ${String(error)}`]);
  }
}
