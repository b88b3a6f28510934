import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { readNumber } from "../src/cli/read-number.js";
import { UsageError } from "../src/cli/usage-error.js";

/** `embedded`: a PostgreSQL from npm, started for the drill. */
export type DatabaseChoice = { kind: "sqlite" } | { kind: "embedded" } | { kind: "postgresql"; url: string };

export interface DrillOptions {
  kills: number;
  /** 0 to 4,294,967,295: the same seed plans the same kills and questions again. */
  seed: number;
  database: DatabaseChoice;
  servers: number;
  /** Whether the folder stays when nothing was found, too. */
  keep: boolean;
}

export const usage = `Kills Parley servers again and again while clients talk to them, and checks that nothing was lost.

  npm run drill -- [options]

  --kills N          how often a server is killed; default 30
  --seed S           repeats the plan of an earlier drill; default: random, printed first
  --database WHICH   sqlite (default), postgres (a real one from npm, for the drill only) or a postgresql:// URL,
                     where the drill makes a database of its own and drops it when nothing was found
  --servers N        how many servers share the database; default 1 on sqlite (which is for one), else 2
  --keep             keeps the folder with the data and the logs, whatever was found
  --help             this text

It exits with 0 where every rule held, 1 where one was broken or the drill could not go on, 2 for wrong arguments.
`;

const settings = {
  kills: { type: "string" },
  seed: { type: "string" },
  database: { type: "string" },
  servers: { type: "string" },
  keep: { type: "boolean" },
} as const;

/** @throws UsageError, and what parseArgs throws */
export function parseOptions(args: readonly string[]): DrillOptions {
  const { values } = parseArgs({ args: [...args], options: settings, allowPositionals: false });
  const database = readDatabase(values.database ?? "sqlite");
  const most = database.kind === "sqlite" ? 1 : 16;
  const servers = readNumber("--servers", values.servers, { fallback: Math.min(2, most), min: 1, max: 16 });
  if (servers > most)
    throw new UsageError("--servers must be 1 on sqlite, which is for one server at a time.");
  return {
    kills: readNumber("--kills", values.kills, { fallback: 30, min: 1, max: 100_000 }),
    seed: readNumber("--seed", values.seed, { fallback: randomInt(2 ** 32), min: 0, max: 2 ** 32 - 1 }),
    database,
    servers,
    keep: values.keep === true,
  };
}

function readDatabase(text: string): DatabaseChoice {
  if (text === "sqlite") return { kind: "sqlite" };
  if (text === "postgres") return { kind: "embedded" };
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return { kind: "postgresql", url: text };
  throw new UsageError(`--database must be sqlite, postgres or a postgresql:// URL; it is "${text}".`);
}
