import { invalidType } from "../protocol-error.js";

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Absent and null are the same to the provider: both answer null. */
export function optionalObject(parent: JsonObject, name: string, path = name): JsonObject | null {
  const value = parent[name] ?? null;
  if (value === null || isObject(value)) return value;
  throw invalidType(path, "an object");
}

export function optionalBoolean(parent: JsonObject, name: string, path = name): boolean | null {
  const value = parent[name] ?? null;
  if (value === null || typeof value === "boolean") return value;
  throw invalidType(path, "a boolean");
}

export function isOneOf<T extends string>(value: unknown, choices: readonly T[]): value is T {
  return choices.some((choice) => choice === value);
}
