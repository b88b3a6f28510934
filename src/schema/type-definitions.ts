import { readFileSync, readdirSync } from "node:fs";

/** The SDL of the API: one file for each noun, beside this one. */
export function readTypeDefinitions(): string {
  const folder = new URL("./", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".graphql"));
  return files
    .sort()
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .join("\n");
}
