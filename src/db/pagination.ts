import { z } from "zod";
import { ParleyError } from "../errors.js";
import { idPrefix } from "../ids.js";

/** The arguments of a Relay connection, as they came. */
export interface PageArguments {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** What decides the order: a column and, between equals, the id. Text, numbers and instants can be keys. */
export interface Keyset<Row> {
  /** Names the list and its order, so that a cursor of another one is refused. */
  name: string;
  type: "text" | "integer" | "instant";
  descending: boolean;
  key(row: Row): CursorKey;
}
export type CursorKey = { value: string | number | Date; id: string };

export interface PageRequest {
  /** How many rows to read: one more than asked for, which tells whether the list goes on. */
  take: number;
  /** Whether rows are read from the end of the list. */
  backwards: boolean;
  after: CursorKey | null;
  before: CursorKey | null;
}

export interface Page<Row> {
  rows: Row[];
  cursor: (row: Row) => string;
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  totalCount: () => Promise<number>;
}

const defaultSize = 20;
const maxSize = 100;

/**
 * Checks the arguments of a page.
 * @throws ParleyError BAD_USER_INPUT for both directions together, a size out of range, a cursor of another list
 */
export function parsePage<Row>(page: PageArguments, keyset: Keyset<Row>): PageRequest {
  const { first, last } = page;
  if (first != null && last != null) {
    throw new ParleyError("BAD_USER_INPUT", "Give either first or last, not both.");
  }
  const size = first ?? last ?? defaultSize;
  if (size < 0 || size > maxSize) {
    throw new ParleyError("BAD_USER_INPUT", `first and last must be from 0 to ${maxSize}.`);
  }
  return {
    take: size + 1,
    backwards: last != null,
    after: page.after == null ? null : decodeCursor(page.after, keyset),
    before: page.before == null ? null : decodeCursor(page.before, keyset),
  };
}

/** Makes a page of rows that were read by `request`, in the order in which they were read. */
export function toPage<Row>(
  rows: readonly Row[],
  request: PageRequest,
  keyset: Keyset<Row>,
  totalCount: () => Promise<number>,
): Page<Row> {
  const kept = rows.slice(0, request.take - 1);
  const more = rows.length > kept.length;
  return {
    rows: request.backwards ? kept.reverse() : kept,
    cursor: (row) => encodeCursor(keyset.name, keyset.key(row)),
    hasNextPage: request.backwards ? request.before !== null : more,
    hasPreviousPage: request.backwards ? more : request.after !== null,
    totalCount,
  };
}

/** Whether rows are read in descending order of the key. */
export function readsDescending(request: PageRequest, keyset: { descending: boolean }): boolean {
  return request.backwards !== keyset.descending;
}

/** The rows that lie after or before a cursor in the list's order, as conditions for Prisma. */
export function cursorConditions(
  request: PageRequest,
  keyset: { descending: boolean },
  column: string,
): object[] {
  const conditions: object[] = [];
  if (request.after !== null) conditions.push(beyond(column, request.after, keyset.descending ? "lt" : "gt"));
  if (request.before !== null)
    conditions.push(beyond(column, request.before, keyset.descending ? "gt" : "lt"));
  return conditions;
}

function beyond(column: string, { value, id }: CursorKey, direction: "lt" | "gt"): object {
  return { OR: [{ [column]: { [direction]: value } }, { [column]: value, id: { [direction]: id } }] };
}

function encodeCursor(list: string, { value, id }: CursorKey): string {
  const key = value instanceof Date ? value.getTime() : value;
  return Buffer.from(JSON.stringify([list, key, id])).toString("base64url");
}

const cursorSchema = z.tuple([z.string(), z.union([z.string(), z.int()]), z.string()]);

/** A cursor is a client's text until it is checked: what it holds must fit the column, or the database would throw. */
function decodeCursor(cursor: string, { name, type }: Pick<Keyset<never>, "name" | "type">): CursorKey {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(cursor, "base64url").toString("utf8")));
  if (parsed.success && parsed.data[0] === name && idPrefix(parsed.data[2]) !== null) {
    const value = keyOfType(type, parsed.data[1]);
    if (value !== null) return { value, id: parsed.data[2] };
  }
  throw new ParleyError("BAD_USER_INPUT", "The cursor does not belong to this list in this order.");
}

function keyOfType(type: Keyset<never>["type"], value: string | number): CursorKey["value"] | null {
  if (typeof value === "string") {
    return type === "text" && !value.includes("\0") && value.isWellFormed() ? value : null;
  }
  if (type === "integer") return value >= 0 && value <= 0x7fff_ffff ? value : null;
  // The years that both databases and RFC 3339 can hold.
  return type === "instant" && value >= 0 && value < Date.UTC(10_000, 0) ? new Date(value) : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
