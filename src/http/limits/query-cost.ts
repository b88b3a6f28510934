import { getVariableValues, GraphQLError } from "graphql";
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import type { ApolloServerPlugin } from "@apollo/server";
import { getComplexity } from "graphql-query-complexity";
import type { ComplexityEstimator, ComplexityEstimatorArgs } from "graphql-query-complexity";
import { tooComplex } from "./document-rules.js";

/** Enough for 100 turns with every field but base64; see docs/limits.md. */
export const maxQueryCost = 25_000;
/** Up to 5.6 MB of text each. */
const base64Cost = 8_000;
/** A piece of sound that an event tells: at most 64 KiB, and a second or less as a rule. */
const soundPieceCost = 100;
const defaultPageSize = 20;

/** No list holds more; asking for more is a mistake that its resolver tells. */
const maxListSize = 100;

type EstimatedField = ComplexityEstimatorArgs["field"];

/** A field costs 1; what a list holds is counted once for each item it may have. */
const estimator: ComplexityEstimator = ({ type, field, args, childComplexity }) => {
  if (field.name === "base64") return type.name === "AudioDelta" ? soundPieceCost : base64Cost;
  return 1 + childComplexity * Math.min(listSize(field, args), maxListSize);
};

function listSize({ name, args: taken }: EstimatedField, args: ComplexityEstimatorArgs["args"]): number {
  if (name === "nodes" && Array.isArray(args["ids"])) return args["ids"].length;
  // A list is read in pages: what takes no size is one thing.
  if (!taken.some(({ name }) => name === "first")) return 1;
  const size: unknown = args["first"] ?? args["last"] ?? defaultPageSize;
  return typeof size === "number" ? Math.max(0, size) : defaultPageSize;
}

export interface OperationToPrice {
  schema: GraphQLSchema;
  document: DocumentNode;
  /** As the client sent them; they must fit the operation. */
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
}

/**
 * What an operation costs, by the rule of docs/limits.md.
 * @throws GraphQLError QUERY_TOO_COMPLEX where even counting takes too long, BAD_USER_INPUT for an argument that
 * can't be read
 */
export function queryCost({ schema, document, variables, operationName }: OperationToPrice): number {
  try {
    return getComplexity({
      schema,
      query: document,
      estimators: [estimator],
      variables: variables ?? {},
      ...(operationName === undefined ? {} : { operationName }),
    });
  } catch (error) {
    throw error instanceof GraphQLError ? countingStopped(error) : error;
  }
}

/** Counting reads arguments before execution does and stops at the same mistakes; they come without a code. */
function countingStopped(error: GraphQLError): GraphQLError {
  // Only the error of a document that fragments blow up points at no place of it.
  if (error.nodes === undefined)
    return tooComplex("The document holds too many fields, fragments spread out.");
  return badUserInput(error);
}

export interface QueryCostOptions {
  /** Whether the error of a variable that does not fit keeps the names of the schema to itself. */
  hideSuggestions: boolean;
}

export interface OperationToCheck {
  schema: GraphQLSchema;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** As the client sent them. */
  variables: Record<string, unknown>;
}

/** What an answer's `extensions.cost` tells. */
export interface ToldCost {
  /** Of this operation, by the rule of docs/limits.md. */
  requested: number;
  /** The most that is let through. */
  limit: number;
}

/**
 * Refuses an operation that would read too much, or whose variables don't fit, before anything of it runs.
 * @throws GraphQLError QUERY_TOO_COMPLEX, BAD_USER_INPUT
 */
export function checkCost(checked: OperationToCheck, options: QueryCostOptions): ToldCost {
  const { schema, document, operation, variables } = checked;
  checkVariables(schema, operation, variables, options);
  const cost = queryCost({ schema, document, variables, operationName: operation.name?.value });
  if (cost <= maxQueryCost) return { requested: cost, limit: maxQueryCost };
  throw tooComplex(
    `The operation costs ${cost}; at most ${maxQueryCost} is allowed. Ask for smaller pages or fewer fields.`,
  );
}

/** Checks the operations that Apollo answers, and tells in each answer what its operation cost. */
export function queryCostPlugin<Context extends object>(
  options: QueryCostOptions,
): ApolloServerPlugin<Context> {
  return {
    requestDidStart: () => {
      let cost: ToldCost | null = null;
      return Promise.resolve({
        didResolveOperation: ({ schema, document, request: { variables = {} }, operation }) => {
          // Execution tells what is wrong with an operation that could not be found.
          if (operation !== undefined) cost = checkCost({ schema, document, operation, variables }, options);
          return Promise.resolve();
        },
        willSendResponse: ({ response: { body } }) => {
          if (cost !== null && body.kind === "single")
            body.singleResult.extensions = { ...body.singleResult.extensions, cost };
          return Promise.resolve();
        },
      });
    },
  };
}

function checkVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
  { hideSuggestions }: QueryCostOptions,
): void {
  const definitions = operation.variableDefinitions ?? [];
  const { errors } = getVariableValues(schema, definitions, variables, { maxErrors: 1, hideSuggestions });
  if (errors?.[0] !== undefined) throw badUserInput(errors[0]);
}

function badUserInput({ message, nodes }: GraphQLError): GraphQLError {
  const extensions = { code: "BAD_USER_INPUT", http: { status: 400 } };
  return new GraphQLError(message, { ...(nodes === undefined ? {} : { nodes }), extensions });
}
