import { invalidRequest, invalidType } from "../protocol-error.js";
import { optionalObject, type JsonObject } from "./json.js";

/** Checks the settings that change nothing here and answers the one that does: the limit of tokens, or null. */
export function readSettings(body: JsonObject): { maxTokens: number | null } {
  checkRange(body, "temperature", 0, 2);
  checkRange(body, "top_p", 0, 1);
  checkRange(body, "n", 1, 1);
  checkResponseFormat(body);
  const maxTokens = readLimit(body, "max_completion_tokens") ?? readLimit(body, "max_tokens");
  return { maxTokens };
}

function readLimit(body: JsonObject, name: string): number | null {
  const value = body[name] ?? null;
  if (value === null) return null;
  if (typeof value !== "number" || !Number.isInteger(value)) throw invalidType(name, "an integer");
  if (value >= 1) return value;
  throw invalidRequest(
    `Invalid '${name}': integer below minimum value. Expected a value >= 1, but got ${value} instead.`,
    name,
    "integer_below_min_value",
  );
}

function checkRange(body: JsonObject, name: string, least: number, most: number): void {
  const value = body[name] ?? null;
  if (value === null) return;
  if (typeof value !== "number") throw invalidType(name, "a number");
  if (value >= least && value <= most) return;
  throw invalidRequest(
    `Invalid '${name}': expected a value from ${least} to ${most}, but got ${value} instead.`,
    name,
    "invalid_value",
  );
}

function checkResponseFormat(body: JsonObject): void {
  const type = optionalObject(body, "response_format")?.["type"] ?? "text";
  if (type === "text") return;
  if (typeof type !== "string") throw invalidType("response_format.type", "a string");
  const message = `Invalid parameter: 'response_format' of type '${type.slice(0, 40)}' is not supported with this model.`;
  throw invalidRequest(message, "response_format", null);
}
