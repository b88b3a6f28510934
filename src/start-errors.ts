import { ConfigError } from "./config/config.js";
import { MigrationError } from "./db/migrations.js";
import { DatabaseUnavailableError } from "./db/unavailable.js";
import { loggedError } from "./logged-error.js";

/** What to tell the operator of an error that kept the server from starting: where it can be, the next step. */
export function explainStart(error: unknown): string {
  if (error instanceof Error && isForOperators(error)) return error.message;
  const told = explainListening(error);
  if (told !== null) return told;
  if (isCode(error, "ERR_MODULE_NOT_FOUND")) {
    return `A package is missing: run npm ci (the stand-in needs the development packages). ${String(error)}`;
  }
  const { type, message, stack = "" } = loggedError(error);
  return `Parley could not start: ${type}: ${message}\n${stack}`.trimEnd();
}

function isForOperators(error: Error): boolean {
  const explained = [ConfigError, MigrationError, DatabaseUnavailableError];
  // The stand-in's own error is known by its name: importing it would load the stand-in in production.
  return explained.some((kind) => error instanceof kind) || error.name === "StandInUnavailableError";
}

/** Null for what has nothing to do with HOST and PORT. */
function explainListening(error: unknown): string | null {
  if (isCode(error, "EADDRINUSE"))
    return `Port ${told(error, "port")} is taken: end the program that listens there, or set PORT to another one.`;
  if (isCode(error, "EACCES") && told(error, "syscall") === "listen")
    return `Port ${told(error, "port")} needs more rights than this user has: set PORT to 1024 or above.`;
  if (isCode(error, "EADDRNOTAVAIL"))
    return `HOST ${told(error, "address")} is no address of this machine: set HOST to one that it has, or to 0.0.0.0 for all.`;
  if (isCode(error, "ENOTFOUND"))
    return `HOST ${told(error, "hostname")} has no address: set HOST to an address of this machine.`;
  return null;
}

function isCode(error: unknown, code: string): boolean {
  return told(error, "code") === code;
}

/** What the system says with an error, by its name. */
function told(error: unknown, name: string): string {
  if (typeof error !== "object" || error === null) return "";
  return String(Object.entries(error).find(([key]) => key === name)?.[1] ?? "");
}
