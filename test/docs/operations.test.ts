import { describe, expect, it } from "@jest/globals";
import { buildSchema, Kind, OperationTypeNode, parse, print, validate } from "graphql";
import type { OperationDefinitionNode } from "graphql";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";
import { subscribe } from "../helpers/subscriptions.js";
import { blocks, placeOf, readPage } from "./pages.js";
import type { Block } from "./pages.js";
import { setScene } from "./scene.js";

type Data = Record<string, unknown>;

const schema = buildSchema(readPage("schema.graphql"));
const documents = blocks
  .map((block, index) => ({ block, variables: variablesBlock(block, blocks[index + 1]) }))
  .filter(({ block }) => block.language === "graphql");

describe("the operations in the documentation", () => {
  const shared = sharedParley("sqlite");

  it.each(documents.map((each) => [placeOf(each.block), each] as const))(
    "are valid and answered without errors: %s",
    async (place, { block, variables }) => {
      const document = parse(block.text);
      expect(validate(schema, document)).toEqual([]);
      const [operation, ...others] = document.definitions.filter(
        (definition) => definition.kind === Kind.OPERATION_DEFINITION,
      );
      if (operation === undefined || others.length > 0) throw new Error(`${place} must hold one operation`);
      if (variables === null && wantsVariables(operation)) {
        throw new Error(`${place} wants variables: write a json block with them right behind it`);
      }
      const data = await dataOf(shared(), operation, block, variables ?? "{}");
      expect(Object.values(data)).not.toContain(null);
    },
  );
});

function variablesBlock({ language, page }: Block, next: Block | undefined): string | null {
  return language === "graphql" && next?.language === "json" && next.page === page ? next.text : null;
}

function wantsVariables({ variableDefinitions = [] }: OperationDefinitionNode): boolean {
  return variableDefinitions.some(
    ({ type, defaultValue }) => type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined,
  );
}

async function dataOf(
  parley: TestParley,
  operation: OperationDefinitionNode,
  block: Block,
  json: string,
): Promise<Data> {
  const scene = await setScene(parley, json);
  const variables = JSON.parse(scene(json)) as Data;
  if (operation.operation === OperationTypeNode.SUBSCRIPTION)
    return firstEvent(parley, block.text, variables);
  const upload = (operation.variableDefinitions ?? []).find(({ type }) => print(type) === "Upload!");
  if (upload === undefined) return parley.ask<Data>(block.text, variables);
  const path = `variables.${upload.variable.name.value}`;
  const recording = new Blob([new Uint8Array(spokenWav())]);
  const { data, errors } = await parley.upload<Data>(block.text, variables, path, recording);
  expect(errors).toEqual([]);
  return data;
}

async function firstEvent(parley: TestParley, query: string, variables: Data): Promise<Data> {
  for await (const { data, errors } of subscribe<Data>("multipart", parley.url, query, variables)) {
    expect(errors).toBeUndefined();
    return data ?? {};
  }
  throw new Error("no event came");
}
