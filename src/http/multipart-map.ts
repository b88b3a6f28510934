import { ParleyError } from "../errors.js";

type JsonObject = Record<string, unknown>;

/** No path may leave what the client itself sent. */
const forbiddenSegments: readonly string[] = ["__proto__", "prototype", "constructor"];

/** @throws ParleyError BAD_USER_INPUT for anything but one JSON object */
export function parseOperations(text: string): JsonObject {
  const operations = parseJson("operations", text);
  if (Array.isArray(operations)) {
    throw new ParleyError(
      "BAD_USER_INPUT",
      "operations holds a list; send each operation in a request of its own.",
    );
  }
  if (!isObject(operations)) throw new ParleyError("BAD_USER_INPUT", "operations must be a JSON object.");
  return operations;
}

/**
 * The paths at which each file part is to stand, by the name of the part.
 * @throws ParleyError BAD_USER_INPUT for anything but an object of lists of paths, and for more than `maxFiles` parts
 */
export function parseFileMap(text: string, maxFiles: number): Map<string, readonly string[]> {
  const map = parseJson("map", text);
  if (!isObject(map)) throw new ParleyError("BAD_USER_INPUT", "map must be a JSON object.");
  const entries = Object.entries(map);
  if (entries.length > maxFiles) {
    throw new ParleyError(
      "BAD_USER_INPUT",
      `map names ${entries.length} files, and a request may bring at most ${maxFiles}.`,
    );
  }
  return new Map(entries.map(([name, paths]) => [name, requirePaths(name, paths)]));
}

/**
 * Puts a value where the client left a null for it.
 * @throws ParleyError BAD_USER_INPUT where the path leads anywhere else
 */
export function placeFile(operations: JsonObject, path: string, file: unknown): void {
  const segments = path.split(".");
  const key = segments.pop() ?? "";
  if (
    segments[0] !== "variables" ||
    [...segments, key].some((segment) => forbiddenSegments.includes(segment))
  ) {
    throw wrongPath(path);
  }
  const parent = segments.reduce<unknown>((value, segment) => ownValue(value, segment), operations);
  if (ownValue(parent, key) !== null) throw wrongPath(path);
  if (Array.isArray(parent)) parent[Number(key)] = file;
  else if (isObject(parent)) parent[key] = file;
}

function ownValue(parent: unknown, key: string): unknown {
  if (Array.isArray(parent)) return /^\d{1,6}$/.test(key) ? (parent[Number(key)] as unknown) : undefined;
  return isObject(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function requirePaths(name: string, paths: unknown): readonly string[] {
  const valid = Array.isArray(paths) && paths.length > 0 && paths.every((path) => typeof path === "string");
  if (valid) return paths;
  throw new ParleyError("BAD_USER_INPUT", `map must hold a list of paths for ${quoted(name)}.`);
}

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ParleyError("BAD_USER_INPUT", `${name} is not valid JSON.`, { cause });
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrongPath(path: string): ParleyError {
  return new ParleyError(
    "BAD_USER_INPUT",
    `map names the path ${quoted(path)}, but operations holds no null there. A path looks like "variables.audio".`,
  );
}

/** Names of parts and paths are the client's own words: shown shortened and escaped. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
