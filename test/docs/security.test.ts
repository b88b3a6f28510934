import { existsSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { readPage, root } from "./pages.js";

const page = readPage("SECURITY.md");

describe("SECURITY.md", () => {
  it("names files that there are", () => {
    const files = [...page.matchAll(/`((?:src|test|docs|web)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((path) => !existsSync(root + path))).toEqual([]);
  });

  it("says of everything that is defended by what it is, and where that is tested", () => {
    const rows = [...page.matchAll(/^\| (.+) \|$/gm)].map(([, row = ""]) => row.split(" | "));
    const defended = rows.filter(
      (cells) => cells.length === 3 && !/^(what is defended|-+)/.test(cells[0] ?? ""),
    );
    expect(defended.length).toBeGreaterThan(20);
    const wanting = defended.filter(
      ([, by = "", tested = ""]) => !by.includes("`src/") || !/`test\/[\w/]+\/[\w-]+\.test\.ts`/.test(tested),
    );
    expect(wanting).toEqual([]);
  });

  it("is reached from the README and the index", () => {
    expect(readPage("README.md")).toContain("](SECURITY.md)");
    expect(readPage("docs/README.md")).toContain("](../SECURITY.md)");
  });
});
