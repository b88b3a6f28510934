import { destination, pino } from "pino";
import type { Logger } from "pino";
import pretty from "pino-pretty";

export type { Logger } from "pino";

export interface LogOptions {
  level: string;
  /** JSON lines for machines; else lines for a person at a terminal. */
  json: boolean;
}

/** Logs go to standard error: standard output is left to the one line that says where the server listens. */
export function createLogger({ level, json }: LogOptions): Logger {
  const stream = json
    ? destination({ dest: 2, sync: false })
    : pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" });
  return pino({ level }, stream);
}
