import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const docs = readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" });

/** Every page that people read, by its path from the root. */
export const pages: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "examples/README.md",
  ...docs.filter((path) => path.endsWith(".md")).map((path) => `docs/${path.replaceAll("\\", "/")}`),
].sort();

/** A fenced block of a page. */
export interface Block {
  page: string;
  /** Counts from 1. */
  line: number;
  language: string;
  /** Without the fences and their indentation. */
  text: string;
}

export function readPage(page: string): string {
  return readFileSync(root + page, "utf8");
}

export function blocksOf(page: string): Block[] {
  const markdown = readPage(page);
  return [...markdown.matchAll(/^( *)```(\S*)[^\n]*\n(.*?)^\1```$/gms)].map((match) => {
    const [, indentation = "", language = "", text = ""] = match;
    const line = markdown.slice(0, match.index).split("\n").length;
    return { page, line, language, text: text.replaceAll(new RegExp(`^${indentation}`, "gm"), "") };
  });
}

export const blocks: readonly Block[] = pages.flatMap(blocksOf);

/** How a block is named in lists of exceptions: a name that changes with what the block does. */
export function nameOf({ page, text }: Block): string {
  return `${page}: ${text.split("\n", 1)[0] ?? ""}`;
}

export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`;
}
