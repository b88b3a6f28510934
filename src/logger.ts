import { destination, pino } from "pino";
import type { Logger, LoggerOptions } from "pino";
import pretty from "pino-pretty";
import { loggedError } from "./logged-error.js";

export type { Logger } from "pino";

export interface LogOptions {
  level: string;
  /** JSON lines for machines; else lines for a person at a terminal. */
  json: boolean;
}

/** Logs go to standard error: standard output is left to the lines that say where the server listens. */
export function createLogger({ level, json }: LogOptions): Logger {
  const stream = json
    ? destination({ dest: 2, sync: false })
    : pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" });
  return pino(pinoOptions(level), stream);
}

/** For every log, whatever it is written to: of errors it tells what `loggedError` takes. */
export function pinoOptions(level: string): LoggerOptions {
  return { level, serializers: { err: (error: unknown) => loggedError(error) } };
}
