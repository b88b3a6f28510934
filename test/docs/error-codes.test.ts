import { ApolloServerErrorCode } from "@apollo/server/errors";
import { describe, expect, it } from "@jest/globals";
import { buildSchema, isEnumType } from "graphql";
import { errorCodes } from "../../src/errors.js";
import { readPage } from "./pages.js";

const [, beforeAccepted = "", afterwards = ""] = readPage("docs/errors.md").split(/^## .+$/m);

/** The codes that a row of a table is about, in its first cell or the second one. */
function documented(section: string): string[] {
  const rows = [...section.matchAll(/^\| (.+) \|$/gm)].map(([, row = ""]) => row.split(" | "));
  return rows
    .flatMap(([first = ""]) => [...first.matchAll(/`([A-Z_]+)`/g)].map(([, code = ""]) => code))
    .sort();
}

describe("docs/errors.md", () => {
  it("tells of every code that a request can be refused with, and of no other", () => {
    const codes = new Set([...errorCodes, ...Object.values(ApolloServerErrorCode)]);
    expect(documented(beforeAccepted)).toEqual([...codes].sort());
  });

  it("tells of every code that a turn can fail with, and of no other", () => {
    const type = buildSchema(readPage("schema.graphql")).getType("TurnErrorCode");
    const codes = isEnumType(type) ? type.getValues().map(({ name }) => name) : [];
    expect(documented(afterwards)).toEqual(codes.sort());
  });

  it("says in every row what happened and what to do", () => {
    const rows = [...(beforeAccepted + afterwards).matchAll(/^\| `.+ \|$/gm)].map(([row]) => row);
    expect(rows).not.toEqual([]);
    expect(
      rows.filter((row) =>
        row
          .split("|")
          .slice(1, -1)
          .some((cell) => cell.trim() === ""),
      ),
    ).toEqual([]);
  });
});
