import { readFileSync, readdirSync } from "node:fs";

import { describe, expect, it } from "@jest/globals";
import { buildSchema, Kind, parse, validate } from "graphql";
import type { DocumentNode, OperationDefinitionNode } from "graphql";

import {
  firstConversation,
  firstConversationDocument,
  firstConversationVariables,
} from "../../src/http/first-conversation.js";

const schemaDir = new URL("../../src/schema/", import.meta.url);
const schemaFiles = readdirSync(schemaDir).filter((name) => name.endsWith(".graphql"));
const schema = buildSchema(
  schemaFiles.map((name) => readFileSync(new URL(name, schemaDir), "utf8")).join("\n"),
);

function operations(document: DocumentNode): OperationDefinitionNode[] {
  return document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
}

function variableNames(operation: OperationDefinitionNode): string[] {
  return (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
}

describe("the first conversation", () => {
  it.each(firstConversation.map((example) => [example.name, example] as const))(
    "holds %s as a valid operation with exactly its variables",
    (name, { document, variables }) => {
      const parsed = parse(document);
      expect(validate(schema, parsed)).toEqual([]);
      const [operation, ...others] = operations(parsed);
      expect(others).toEqual([]);
      expect(operation?.name?.value).toBe(name);
      expect(operation && variableNames(operation)).toEqual(Object.keys(variables));
    },
  );

  it("is one valid document with all operations and their variables", () => {
    const parsed = parse(firstConversationDocument);
    expect(validate(schema, parsed)).toEqual([]);
    expect(operations(parsed).map(({ name }) => name?.value)).toEqual(
      firstConversation.map(({ name }) => name),
    );
    expect(Object.keys(firstConversationVariables).sort()).toEqual(
      [...new Set(operations(parsed).flatMap(variableNames))].sort(),
    );
  });

  // Apollo's landing page writes it into a script element and replaces only the first "<".
  it("can stand in a script element", () => {
    expect(JSON.stringify([firstConversationDocument, firstConversationVariables])).not.toContain("<");
  });
});
