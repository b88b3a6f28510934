import { getNamedType, isListType, isNonNullType, isObjectType } from "graphql";
import type { GraphQLField, GraphQLObjectType, GraphQLOutputType, GraphQLSchema } from "graphql";

/** Fields that cost more or lead back up, which "every field" leaves out. */
const leftOut: readonly string[] = [
  "AudioClip.base64",
  "Turn.conversation",
  "Message.turn",
  "AudioClip.message",
];

/** A selection of every field that can be asked for of a type without arguments, lists and all that lies below. */
export function everyField(
  schema: GraphQLSchema,
  typeName: string,
  alsoLeftOut: readonly string[] = [],
): string {
  const type = schema.getType(typeName);
  if (!isObjectType(type)) throw new Error(`${typeName} is no object type`);
  const fields = Object.values(type.getFields()).filter((field) => isWanted(type, field, alsoLeftOut));
  return fields.map((field) => selection(schema, field, alsoLeftOut)).join(" ");
}

function isWanted(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  alsoLeftOut: readonly string[],
): boolean {
  return ![...leftOut, ...alsoLeftOut].includes(`${type.name}.${field.name}`) && !isList(field.type);
}

function selection(
  schema: GraphQLSchema,
  { name, type }: GraphQLField<unknown, unknown>,
  alsoLeftOut: readonly string[],
): string {
  const named = getNamedType(type);
  return isObjectType(named) ? `${name} { ${everyField(schema, named.name, alsoLeftOut)} }` : name;
}

function isList(type: GraphQLOutputType): boolean {
  const bare = isNonNullType(type) ? type.ofType : type;
  return isListType(bare) && isObjectType(getNamedType(bare));
}
