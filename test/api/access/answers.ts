import type { GraphqlAnswer } from "../../helpers/parley.js";

/** What an answer tells, but for its messages. */
export function told({ status, data, errors }: GraphqlAnswer<unknown>) {
  return { status, data, codes: errors.map(({ extensions }) => extensions.code) };
}

/** Whether the root field, or the one item of its list, is null. */
export function isNull({ data }: GraphqlAnswer<unknown>): boolean {
  const [value] = Object.values(data ?? {}) as unknown[];
  return Array.isArray(value) ? value.every((item) => item === null) : value === null;
}

/** What of the answer is not as it is for whom the door is open: parts that are missing, and null. */
export function lacking(json: string, parts: readonly string[]): string[] {
  return [
    ...parts.filter((part) => !json.includes(part)),
    ...(/[:[,]null/.test(json) ? ["something in the place of null"] : []),
  ];
}
