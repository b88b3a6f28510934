import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import {
  buildClientSchema,
  buildSchema,
  findBreakingChanges,
  getIntrospectionQuery,
  Kind,
  isTypeDefinitionNode,
  lexicographicSortSchema,
  parse,
  print,
  printSchema,
  visit,
} from "graphql";
import type {
  ASTNode,
  EnumValueDefinitionNode,
  FieldDefinitionNode,
  InputValueDefinitionNode,
  TypeDefinitionNode,
  GraphQLSchema,
  IntrospectionQuery,
} from "graphql";
import { createSchema } from "../../src/http/graphql.js";
import { sharedParley } from "../helpers/parley.js";

const root = new URL("../../", import.meta.url);
const sdl = readFileSync(new URL("schema.graphql", root), "utf8");
const committed = buildSchema(sdl);
const contractFile = new URL("../shared/design/schema.graphql", root);

describe("schema.graphql", () => {
  const shared = sharedParley("sqlite");

  it("is what the server serves (npm run schema writes it anew)", async () => {
    const introspection = await shared().ask<IntrospectionQuery>(
      getIntrospectionQuery({
        descriptions: true,
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        inputValueDeprecation: true,
        oneOf: true,
      }),
    );
    expect(printed(buildClientSchema(introspection))).toBe(printed(committed));
    expect(printed(createSchema())).toBe(printed(committed));
  });

  it("describes everything", () => {
    const undescribed: string[] = [];
    visit(parse(sdl), {
      enter: (node) => {
        if (isDescribable(node) && node.description === undefined) undescribed.push(print(node));
      },
    });
    expect(undescribed).toEqual([]);
  });

  (existsSync(contractFile) ? it : it.skip)(
    "takes nothing away from the contract, and changes nothing of it",
    () => {
      const contract = buildSchema(readFileSync(contractFile, "utf8"));
      expect(findBreakingChanges(contract, committed)).toEqual([]);
    },
  );
});

function printed(schema: GraphQLSchema): string {
  return printSchema(lexicographicSortSchema(schema));
}

function isDescribable(
  node: ASTNode,
): node is TypeDefinitionNode | FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode {
  const parts: string[] = [Kind.FIELD_DEFINITION, Kind.INPUT_VALUE_DEFINITION, Kind.ENUM_VALUE_DEFINITION];
  return isTypeDefinitionNode(node) || parts.includes(node.kind);
}
