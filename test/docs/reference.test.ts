import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { format } from "prettier";
import { referenceOf } from "../../scripts/reference.js";
import { createSchema } from "../../src/http/graphql.js";

const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

describe("the API reference", () => {
  it("is what the SDL says (npm run reference writes it anew)", async () => {
    const reference = referenceOf(createSchema());
    expect(page).toBe(await format(reference, { parser: "markdown", printWidth: 110 }));
  });
});
