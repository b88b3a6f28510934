import { describe, expect, it } from "@jest/globals";
import { ownedArguments } from "../../src/db/owned-client.js";

const ada = { id: "viewer_ada", tenantId: "acme" };
const condition = { ownerId: "viewer_ada", tenantId: "acme" };

describe("what is asked of the database for an owner", () => {
  it.each<[string, string, object | undefined, object]>([
    ["nothing said", "findMany", undefined, { where: { AND: [condition] } }],
    ["by id", "findUnique", { where: { id: "c" } }, { where: { id: "c", AND: [condition] } }],
    [
      "another owner said",
      "findFirst",
      { where: { ownerId: "viewer_eve" } },
      { where: { ownerId: "viewer_eve", AND: [condition] } },
    ],
    [
      "an OR, which must not open it",
      "count",
      { where: { OR: [{ id: "a" }, {}] } },
      { where: { OR: [{ id: "a" }, {}], AND: [condition] } },
    ],
    ["one AND", "findMany", { where: { AND: { id: "a" } } }, { where: { AND: [condition, { id: "a" }] } }],
    [
      "a list of AND",
      "findMany",
      { where: { AND: [{ id: "a" }] } },
      { where: { AND: [condition, { id: "a" }] } },
    ],
    ["a change", "updateMany", { where: {}, data: {} }, { where: { AND: [condition] }, data: {} }],
    ["a removal", "deleteMany", undefined, { where: { AND: [condition] } }],
    [
      "a new row, whatever it says",
      "create",
      { data: { id: "c", ownerId: "viewer_eve" } },
      { data: { id: "c", ...condition } },
    ],
    ["new rows", "createMany", { data: [{ id: "c" }] }, { data: [{ id: "c", ...condition }] }],
    [
      "either",
      "upsert",
      { where: { id: "c" }, create: { id: "c" }, update: {} },
      { where: { id: "c", AND: [condition] }, create: { id: "c", ...condition }, update: {} },
    ],
  ])("is theirs with %s", (_what, operation, args, expected) => {
    expect(ownedArguments("Conversation", operation, args, ada)).toEqual(expected);
  });

  it("names the owner alone where rows have no tenant, or it is not known", () => {
    const where = { AND: [{ ownerId: "viewer_ada" }] };
    expect(ownedArguments("Message", "findMany", {}, ada)).toEqual({ where });
    expect(ownedArguments("Turn", "findMany", {}, { ...ada, tenantId: null })).toEqual({ where });
  });

  it("is left as it is for rows that have no owner", () => {
    expect(ownedArguments("AnswerLogEntry", "findMany", { where: { messageId: "m" } }, ada)).toEqual({
      where: { messageId: "m" },
    });
  });
});
