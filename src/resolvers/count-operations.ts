import { defaultFieldResolver } from "graphql";
import type { GraphQLField, GraphQLFieldResolver, GraphQLObjectType, GraphQLSchema } from "graphql";
import type { RequestContext } from "./request-context.js";

/** Each of them asks the model. */
const turnFields: readonly string[] = ["addTextTurn", "addAudioTurn", "retryTurn"];

type RootField = GraphQLField<unknown, RequestContext>;
type RootResolver = GraphQLFieldResolver<unknown, RequestContext>;

/**
 * Counts what every operation asks for before any of it is resolved, whichever transport it came by: each turn as a
 * turn, all else of an operation as one read. A subscription is counted when it is opened, its events are not.
 */
export function countOperations(schema: GraphQLSchema): GraphQLSchema {
  for (const type of [schema.getQueryType(), schema.getMutationType()]) {
    for (const field of fieldsOf(type)) field.resolve = counted(field, field.resolve ?? defaultFieldResolver);
  }
  for (const field of fieldsOf(schema.getSubscriptionType()))
    field.subscribe = counted(field, field.subscribe ?? defaultFieldResolver);
  return schema;
}

function fieldsOf(type: GraphQLObjectType | null | undefined): RootField[] {
  const fields: Record<string, RootField> = type?.getFields() ?? {};
  return Object.values(fields);
}

function counted({ name }: RootField, resolve: RootResolver): RootResolver {
  const kind = turnFields.includes(name) ? "turns" : "reads";
  return async (source, args, context, info) => {
    await context.admission.admit(kind);
    return resolve(source, args, context, info);
  };
}
