import { ConfigError } from "../config/config.js";
import { readSettings } from "../config/env.js";
import { parseConfig } from "../config/parse-config.js";
import { openDatabase } from "../db/database.js";
import { MigrationError } from "../db/migrations.js";
import { DatabaseUnavailableError } from "../db/unavailable.js";
import { loggedError } from "../logged-error.js";
import { createLogger } from "../logger.js";
import { RefusedError, UsageError } from "./usage-error.js";
import type { Command } from "./command.js";
import { deletePerson } from "./delete-person.js";
import { exportViewer } from "./export.js";
import { keys } from "./keys.js";
import { joinNegative } from "./read-number.js";
import { receipts } from "./receipts.js";
import { isMistake, mistakeCode } from "./run-tool.js";
import { signingKeys } from "./signing-keys.js";
import { viewerIds } from "./viewer-id.js";

const commands: Readonly<Record<string, Command>> = {
  keys,
  "signing-keys": signingKeys,
  "viewer-id": viewerIds,
  export: exportViewer,
  "delete-person": deletePerson,
  receipts,
};

function usage(): string {
  const lines = Object.values(commands).flatMap((command) => command.usage.map((line) => `  ${line}`));
  return `Commands for operators, with the settings of the server (environment and .env):\n\n${lines.join("\n")}\n`;
}

async function main([name, ...args]: string[]): Promise<void> {
  const command = name === undefined ? undefined : commands[name];
  if (name === undefined) throw new UsageError("Say what is to be done.");
  if (name === "--help" || args.includes("--help")) {
    process.stdout.write(usage());
    return;
  }
  if (command === undefined) throw new UsageError(`There is no command "${name}".`);
  const { env, warnings } = readSettings();
  const config = parseConfig(env);
  const logger = createLogger({ level: config.logLevel, json: config.production });
  for (const warning of warnings) logger.warn(warning);
  const database = await openDatabase(config.database);
  try {
    const print = (line: string) => void process.stdout.write(`${line}\n`);
    await command.run({ config, database, logger, print, output: process.stdout }, joinNegative(args));
  } finally {
    await database.close();
  }
}

function explain(error: unknown): string {
  if (isMistake(error)) return `${error.message}\nnpm run parley -- --help tells what can be done.`;
  const explained = [RefusedError, ConfigError, MigrationError, DatabaseUnavailableError];
  if (error instanceof Error && explained.some((kind) => error instanceof kind)) return error.message;
  const { type, message, stack = "" } = loggedError(error);
  return `${type}: ${message}\n${stack}`.trimEnd();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = isMistake(error) ? mistakeCode : 1;
});
