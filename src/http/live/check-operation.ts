import { ApolloServerErrorCode } from "@apollo/server/errors";
import {
  execute,
  getOperationAST,
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  parse,
  specifiedRules,
  validate,
} from "graphql";
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import { documentRules, maxErrors, maxLexicalTokens } from "../limits/document-rules.js";
import { checkCost } from "../limits/query-cost.js";
import type { ToldCost } from "../limits/query-cost.js";

/** An operation as a client sends it. */
export interface OperationRequest {
  query: string;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

export interface OperationRules {
  schema: GraphQLSchema;
  /** Where it is off, suggestions of names are off, too. */
  introspection: boolean;
}

/** An operation that may run. */
export interface CheckedOperation {
  schema: GraphQLSchema;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  operationName: string | null;
  variableValues: Record<string, unknown>;
  cost: ToldCost;
}

/** Why an operation may not run: mistakes of the client, each with its code. */
export interface Refusal {
  refused: readonly GraphQLError[];
}

/**
 * Checks an operation that does not pass Apollo as Apollo and its plugins check all others: the same limits, the same
 * rules, the same codes.
 */
export function checkOperation(request: OperationRequest, rules: OperationRules): CheckedOperation | Refusal {
  const document = parseDocument(request.query);
  return "refused" in document ? document : checkDocument(document, request, rules);
}

/** As far as an operation must be read to tell what kind it is. */
export function parseDocument(query: string): DocumentNode | Refusal {
  try {
    return parse(query, { maxTokens: maxLexicalTokens });
  } catch (error) {
    // The parser goes as deep as the document; Apollo takes its end of the stack for a mistake of the document, too.
    const mistake = error instanceof RangeError ? new GraphQLError(error.message) : error;
    if (!(mistake instanceof GraphQLError)) throw error;
    return { refused: [withCode(mistake, ApolloServerErrorCode.GRAPHQL_PARSE_FAILED)] };
  }
}

export function checkDocument(
  document: DocumentNode,
  request: OperationRequest,
  { schema, introspection }: OperationRules,
): CheckedOperation | Refusal {
  const hideSuggestions = !introspection;
  const rules = [...specifiedRules, ...documentRules];
  if (!introspection) rules.push(NoSchemaIntrospectionCustomRule);
  const mistakes = validate(schema, document, rules, { maxErrors, hideSuggestions });
  if (mistakes.length > 0) {
    return {
      refused: mistakes.map((error) => withCode(error, ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED)),
    };
  }
  const operationName = request.operationName ?? null;
  const operation = getOperationAST(document, operationName);
  if (!operation) return noSuchOperation(schema, document, operationName);
  const variableValues = request.variables ?? {};
  try {
    const checked = { schema, document, operation, variables: variableValues };
    const cost = checkCost(checked, { hideSuggestions });
    return { schema, document, operation, operationName, variableValues, cost };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { refused: [error] };
  }
}

/** Execution stops at once and says what is wrong, in the words that Apollo's clients hear, too. */
function noSuchOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null,
): Refusal {
  const result = execute({ schema, document, operationName });
  const errors = "errors" in result ? (result.errors ?? []) : [];
  return {
    refused: errors.map((error) => withCode(error, ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE)),
  };
}

/** Apollo wraps errors in the same way; a code of ours stays within reach as the original's. */
function withCode(error: GraphQLError, code: ApolloServerErrorCode): GraphQLError {
  const { message, nodes = null, source = null, positions = null } = error;
  const originalError = error.originalError ?? error;
  return new GraphQLError(message, { nodes, source, positions, originalError, extensions: { code } });
}
