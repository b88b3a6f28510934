import { codeOfError } from "../code-of-error.js";

/**
 * `not-found`: the bytes went away while they were being read. `exists`: something is stored under the key already.
 * `no-space`: the disk or a quota is full. `failed`: anything else; the cause says more.
 */
export type StorageErrorCode = "not-found" | "exists" | "no-space" | "failed";

/** The only error that an audio store throws. Its message is for the log: it may name keys, and never names bytes. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const codeOf = new Map<string, StorageErrorCode>([
  ["ENOENT", "not-found"],
  ["EEXIST", "exists"],
  ["ENOSPC", "no-space"],
  ["EDQUOT", "no-space"],
]);

/** What was being done (`read conv_1/clip_1`) is named in the message. */
export function toStorageError(action: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const fsCode = codeOfError(error);
  const code = (fsCode === null ? undefined : codeOf.get(fsCode)) ?? "failed";
  return new StorageError(code, `Audio storage could not ${action} (${fsCode ?? "no error code"}).`, error);
}

/** Does the work, whose errors become StorageErrors; null where the file is not there. */
export async function nullWhereAbsent<T>(action: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (codeOfError(error) === "ENOENT") return null;
    throw toStorageError(action, error);
  }
}

/** Does the work, whose errors become StorageErrors. */
export async function translated<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(action, error);
  }
}
