import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { buildSchema, isObjectType } from "graphql";
import { onEachDatabase } from "../../helpers/databases.js";
import type { GraphqlAnswer } from "../../helpers/parley.js";
import { isNull, lacking, told } from "./answers.js";
import { mutations, nodeIds, queries } from "./doors.js";
import type { Door } from "./doors.js";
import { World, mark, nothing } from "./world.js";
import type { Things, Who } from "./world.js";

const schema = buildSchema(readFileSync(new URL("../../../schema.graphql", import.meta.url), "utf8"));

function fieldsOf(typeName: string): string[] {
  const type = schema.getType(typeName);
  return isObjectType(type) ? Object.keys(type.getFields()) : [];
}

describe("the matrix of who may do what", () => {
  it("has a row for every query, every mutation and every type of node", () => {
    expect(Object.keys(queries).sort()).toEqual(fieldsOf("Query").sort());
    expect(Object.keys(mutations).sort()).toEqual(fieldsOf("Mutation").sort());
    const nodes = Object.values(schema.getTypeMap()).filter(
      (type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === "Node"),
    );
    expect(Object.keys(nodeIds).sort()).toEqual(nodes.map(({ name }) => name).sort());
  });
});

const nodeDoors = Object.entries(nodeIds).map<[string, Door]>(([type, name]) => [
  `node of type ${type}`,
  {
    query: `query ($id: ID!) { node(id: $id) { id ... on ${type} { __typename } } }`,
    variables: (things) => ({ id: things[name] }),
    holds: (things) => [things[name], `"${type}"`],
    others: "null",
  },
]);
const { deleteViewer, ...otherMutations } = mutations;
// Whoever has deleted themselves has no key any more.
const lastDoors = Object.entries({
  ...otherMutations,
  ...(deleteViewer === undefined ? {} : { deleteViewer }),
});
const doors = [...Object.entries(queries), ...nodeDoors, ...lastDoors];

describe.each(["api-key", "jwt"] as const)("with AUTH=%s", (auth) => {
  onEachDatabase("each door of the API", (kind) => {
    it("is open to the owner, and to nobody else", async () => {
      const world = await World.start(kind, auth);
      for (const [name, door] of doors) {
        const things = await world.things();
        for (const who of ["other", "otherTenant"] as const)
          await expectOthers(world, who, name, door, things);
        await expectOperator(world, name, door, things);
        for (const who of ["anonymous", "gone"] as const) {
          const answer = await world.send(who, door.query, door.variables(things));
          expect({ name, who, ...told(answer) }).toEqual({
            name,
            who,
            status: 401,
            data: undefined,
            codes: ["UNAUTHENTICATED"],
          });
        }
        await expectOwner(world, name, door, things);
      }
    });
  });
});

/** Everything that was asked for is there, without any error. */
async function expectOwner(world: World, name: string, door: Door, things: Things): Promise<void> {
  const answer = await world.send("owner", door.query, door.variables(things));
  if (door.members === undefined) expectOpen(answer, name, door, things);
  else expect({ name, ...told(answer) }).toEqual({ name, status: 200, data: null, codes: [door.members] });
}

function expectOpen(answer: GraphqlAnswer<unknown>, name: string, door: Door, things: Things): void {
  expect({ name, ...told(answer) }).toMatchObject({ name, status: 200, codes: [] });
  const lacks = lacking(JSON.stringify(answer.data), door.holds(things));
  expect({ name, lacks }).toEqual({ name, lacks: [] });
}

async function expectOthers(world: World, who: Who, name: string, door: Door, things: Things): Promise<void> {
  const answer = await world.send(who, door.query, door.variables(things));
  expectNothingOf(answer, door, things);
  if (door.members !== undefined) {
    expect({ name, who, ...told(answer) }).toEqual({
      name,
      who,
      status: 200,
      data: null,
      codes: [door.members],
    });
    return;
  }
  if (door.others === "own") {
    expect({ name, who, codes: told(answer).codes }).toEqual({ name, who, codes: [] });
    return;
  }
  if (door.others === "null")
    expect({ name, who, isNull: isNull(answer) }).toEqual({ name, who, isNull: true });
  else expect({ name, who, ...told(answer) }).toMatchObject({ name, who, codes: [door.others] });
  // What is not theirs and what is not there answer alike.
  const missing = await world.send(who, door.query, door.variables(nothing));
  expect(told(answer)).toEqual(told(missing));
  expect(answer.errors.map(({ message }) => message)).toEqual(missing.errors.map(({ message }) => message));
}

async function expectOperator(world: World, name: string, door: Door, things: Things): Promise<void> {
  const answer = await world.send("operator", door.query, door.variables(things));
  if (door.operator === "tenant") {
    expectOpen(answer, name, door, things);
    return;
  }
  expectNothingOf(answer, door, things);
  const codes = door.operator === undefined ? ["FORBIDDEN"] : [];
  expect({ name, codes: told(answer).codes }).toEqual({ name, codes });
}

/** No word and no id of the owner's, but for those that were asked for. */
function expectNothingOf(answer: GraphqlAnswer<unknown>, door: Door, things: Things): void {
  const text = JSON.stringify(answer.data ?? null);
  const asked: unknown[] = Object.values(door.variables(things));
  for (const [name, id] of Object.entries<string>({ ...things }))
    if (!asked.includes(id)) expect({ name, isTold: text.includes(id) }).toEqual({ name, isTold: false });
  expect(text).not.toContain(mark);
}
