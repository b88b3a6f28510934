import {
  astFromValue,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isScalarType,
  print,
  specifiedScalarTypes,
} from "graphql";
import type {
  GraphQLArgument,
  GraphQLEnumType,
  GraphQLField,
  GraphQLInputField,
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
} from "graphql";

const builtIn = new Set(specifiedScalarTypes.map(({ name }) => name));

type Described = { readonly description: string | undefined | null };
type Fielded = GraphQLObjectType | GraphQLInterfaceType;

const introduction = `# API reference

Made from the SDL by \`npm run reference\`; [schema.graphql](../schema.graphql) holds the same as SDL. A type with \`!\` is never null.
[Concepts](concepts.md) tells how things belong together, [errors](errors.md) what can go wrong, [limits](limits.md) what is too much.`;

/** The schema as one page of Markdown: operations first, then types by kind, each in the order of their names. */
export function referenceOf(schema: GraphQLSchema): string {
  const types = Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !builtIn.has(type.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const objects = types.filter(isObjectType).filter((type) => !roots.includes(type));
  const sections = [
    operations("Queries", "query", roots[0]),
    operations("Mutations", "mutation", roots[1]),
    operations("Subscriptions", "subscription", roots[2]),
    section("Types", objects.map(fieldedType)),
    section(
      "Interfaces",
      types.filter(isInterfaceType).map((type) => interfaceType(schema, type)),
    ),
    section("Inputs", types.filter(isInputObjectType).map(inputType)),
    section("Enums", types.filter(isEnumType).map(enumType)),
    section("Scalars", types.filter(isScalarType).map(scalarType)),
  ];
  return `${[introduction, ...sections].join("\n\n")}\n`;
}

function section(title: string, entries: readonly string[]): string {
  return [`## ${title}`, ...entries].join("\n\n");
}

function operations(title: string, word: string, root: GraphQLObjectType | null | undefined): string {
  const fields = Object.values(root?.getFields() ?? {});
  const entries = fields.map((field) => {
    // The word in front keeps the heading's anchor apart from that of a type of the same name.
    const head = `### ${word} ${field.name}\n\n${wordsOf(field)}`;
    const answer = `Answers ${linkTo(String(field.type))}.`;
    return [head, ...listOf(field.args, argument), answer].join("\n\n");
  });
  return section(title, [...(root?.description == null ? [] : [wordsOf(root)]), ...entries]);
}

function fieldedType(type: Fielded): string {
  const interfaces = type.getInterfaces().map((each) => linkTo(each.name));
  const kinds = interfaces.length === 0 ? [] : [`Implements ${interfaces.join(", ")}.`];
  return [headOf(type), ...kinds, ...listOf(Object.values(type.getFields()), fieldLine)].join("\n\n");
}

function interfaceType(schema: GraphQLSchema, type: GraphQLInterfaceType): string {
  const implementations = schema.getPossibleTypes(type).map((each) => linkTo(each.name));
  return `${fieldedType(type)}\n\nImplemented by ${implementations.join(", ")}.`;
}

function inputType(type: GraphQLInputObjectType): string {
  const oneOf = type.isOneOf ? ["Exactly one of these is given."] : [];
  return [headOf(type), ...oneOf, ...listOf(Object.values(type.getFields()), argument)].join("\n\n");
}

function enumType(type: GraphQLEnumType): string {
  const values = listOf(type.getValues(), (value) => `- \`${value.name}\`: ${wordsOf(value)}`);
  return [headOf(type), ...values].join("\n\n");
}

function scalarType(type: GraphQLScalarType): string {
  const url = type.specifiedByURL;
  return [headOf(type), ...(url == null ? [] : [`Specified by <${url}>.`])].join("\n\n");
}

function headOf(type: GraphQLNamedType): string {
  return `### ${type.name}\n\n${wordsOf(type)}`;
}

function fieldLine(field: GraphQLField<unknown, unknown>): string {
  const line = `- \`${field.name}\`: ${linkTo(String(field.type))}. ${wordsOf(field)}`;
  return [line, ...field.args.map((each) => `  ${argument(each)}`)].join("\n");
}

function argument(input: GraphQLArgument | GraphQLInputField): string {
  const value = astFromValue(input.defaultValue, input.type);
  const preset = value == null ? "" : ` = \`${print(value)}\``;
  return `- \`${input.name}\`: ${linkTo(String(input.type))}${preset}. ${wordsOf(input)}`;
}

/** One paragraph of list items, or none. */
function listOf<Item>(items: readonly Item[], line: (item: Item) => string): string[] {
  return items.length === 0 ? [] : [items.map(line).join("\n")];
}

function linkTo(type: string): string {
  const name = type.replaceAll(/[[\]!]/g, "");
  return builtIn.has(name) ? `\`${type}\`` : `[\`${type}\`](#${name.toLowerCase()})`;
}

/** The lines of a description are a paragraph: a line must not begin a list or a heading by where it was broken. */
function wordsOf({ description }: Described): string {
  return (description ?? "").split("\n").join(" ");
}
