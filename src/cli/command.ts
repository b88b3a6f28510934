import type { Config } from "../config/config.js";
import type { Database } from "../db/database.js";
import type { Logger } from "../logger.js";

/** What a command works with: the server's own settings and database, which a server may be using at the same time. */
export interface CommandContext {
  readonly config: Config;
  readonly database: Database;
  readonly logger: Logger;
  /** Writes a line for the operator to standard output. */
  readonly print: (line: string) => void;
  /** Standard output, for what is no text. */
  readonly output: NodeJS.WritableStream;
}

export interface Command {
  /** What stands behind `npm run parley --`, with a sentence on each form. */
  readonly usage: readonly string[];
  /**
   * @param args what stands behind the command's name
   * @throws UsageError, RefusedError
   */
  run(context: CommandContext, args: readonly string[]): Promise<void>;
}
