import { isObjectType } from "graphql";
import type { GraphQLFieldResolver, GraphQLSchema } from "graphql";
import { requireScope } from "../auth/viewer.js";
import type { Scope } from "../auth/viewer.js";
import type { MutationResolvers, QueryResolvers, SubscriptionResolvers } from "../schema/generated/types.js";
import type { RequestContext } from "./request-context.js";

/** Null: whoever has signed in. */
type Access<Resolvers> = Record<Exclude<keyof Resolvers, "__isTypeOf">, Scope | null>;

/**
 * What each door of the API asks for, besides that rows are their owner's: a field without a row here does not compile.
 */
export const access: {
  Query: Access<QueryResolvers>;
  Mutation: Access<MutationResolvers>;
  Subscription: Access<SubscriptionResolvers>;
} = {
  Query: {
    node: "conversations:read",
    nodes: "conversations:read",
    conversation: "conversations:read",
    conversations: "conversations:read",
    turn: "conversations:read",
    deletionReceipt: "conversations:read",
    viewer: null,
    capabilities: null,
    tenantUsage: "usage:read",
  },
  Mutation: {
    startConversation: "conversations:write",
    updateConversation: "conversations:write",
    archiveConversation: "conversations:write",
    deleteConversation: "conversations:write",
    deleteViewer: "conversations:write",
    addTextTurn: "conversations:write",
    addAudioTurn: "conversations:write",
    createAudioUpload: "conversations:write",
    cancelTurn: "conversations:write",
    retryTurn: "conversations:write",
  },
  Subscription: {
    turnEvents: "conversations:read",
    conversationEvents: "conversations:read",
    viewerEvents: "conversations:read",
  },
};

/** Lets nobody through a root field of the schema who may not; answers the same schema. */
export function guardRoots(schema: GraphQLSchema): GraphQLSchema {
  for (const [typeName, rows] of Object.entries(access)) {
    const type = schema.getType(typeName);
    for (const [name, scope] of Object.entries<Scope | null>(rows)) {
      const field = isObjectType(type) ? type.getFields()[name] : undefined;
      if (field === undefined) throw new Error(`the schema has no ${typeName}.${name}`);
      if (scope !== null) guard(field, scope);
    }
  }
  return schema;
}

interface Door {
  name: string;
  resolve?: GraphQLFieldResolver<unknown, RequestContext>;
  subscribe?: GraphQLFieldResolver<unknown, RequestContext>;
}

function guard(field: Door, scope: Scope): void {
  const door = field.subscribe === undefined ? "resolve" : "subscribe";
  const resolver = field[door];
  if (resolver === undefined) throw new Error(`${field.name} has no resolver`);
  field[door] = (parent, args, context, info): unknown => {
    requireScope(context.viewer, scope);
    return resolver(parent, args, context, info);
  };
}
