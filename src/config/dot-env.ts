import { parseEnv } from "node:util";
import { ConfigError } from "./config.js";

const assignment = /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_.-]*\s*=\s*(.*)$/;

/**
 * The settings of a `.env` file: `NAME=value` lines, comments, quoted values that may go over several lines.
 * @param path names the file in mistakes
 * @throws ConfigError for any other line: Node's own parser would take it for the beginning of the next name, and lose both
 */
export function parseDotEnv(text: string, path: string): Record<string, string | undefined> {
  // Editors on Windows put a byte order mark first, which would become part of the first name.
  const content = text.replace(/^\uFEFF/, "");
  const mistakes = mistakesIn(content.split(/\r?\n/)).map((mistake) => `The file ${path}, ${mistake}`);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return parseEnv(content);
}

/** No line is repeated in a mistake: it may hold a secret. */
function mistakesIn(lines: readonly string[]): string[] {
  const mistakes: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const value = assignment.exec(line)?.[1];
    if (value === undefined) {
      mistakes.push(`line ${index + 1}, is neither NAME=value nor a comment.`);
      continue;
    }
    const last = endOfValue(lines, index, value);
    if (last === null) mistakes.push(`line ${index + 1}, opens a quotation that is never closed.`);
    index = last ?? index;
  }
  return mistakes;
}

/** The index of the line on which the value ends that begins on line `first`; null where its quotation has no end. */
function endOfValue(lines: readonly string[], first: number, value: string): number | null {
  const quote = /^["'`]/.exec(value)?.[0];
  if (quote === undefined || value.indexOf(quote, 1) > 0) return first;
  const last = lines.findIndex((line, index) => index > first && line.includes(quote));
  return last < 0 ? null : last;
}
