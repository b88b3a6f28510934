import { describe, expect, it } from "@jest/globals";
import { serverAudits } from "graphql-http";
import { sharedParley } from "../helpers/parley.js";

/** What Apollo Server does otherwise by design: plain GET is refused against forgery, and 400 is told where 200 could be. */
const byDesign = ["5A70", "572B", "6A70", "7B9B", "D6D5", "FDE2"];

describe("GraphQL over HTTP", () => {
  const shared = sharedParley("sqlite");

  it("is spoken as its specification says, but for six recommendations", async () => {
    const results = await Promise.all(
      serverAudits({ url: `${shared().url}/graphql`, fetchFn: fetch }).map((audit) => audit.fn()),
    );
    const told = results.map(({ id, name, status }) => `${status} ${id} ${name}`);
    expect(results.length).toBeGreaterThanOrEqual(60);
    expect(told.filter((line) => line.startsWith("error"))).toEqual([]);
    const exceptions = results.filter(({ status }) => status !== "ok").map(({ id }) => id);
    expect(exceptions.sort()).toEqual(byDesign.toSorted());
  });
});
