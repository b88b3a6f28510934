import { ApolloServer } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import { makeExecutableSchema } from "@graphql-tools/schema";
import type { FastifyInstance } from "fastify";
import type { AppContext } from "../app-context.js";
import { authenticate } from "../auth/viewer.js";
import { createRequestContext } from "../resolvers/request-context.js";
import type { RequestContext } from "../resolvers/request-context.js";
import { resolvers } from "../resolvers/resolvers.js";
import { scalars } from "../resolvers/scalars.js";
import { readTypeDefinitions } from "../schema/type-definitions.js";
import { formatError } from "./error-format.js";
import { sandboxLandingPage } from "./explorers.js";
import { documentRules } from "./limits/document-rules.js";
import { queryCostPlugin } from "./limits/query-cost.js";
import { registerMultipart } from "./multipart.js";
import { originOf } from "./origin.js";

/** Far above any operation that the cost limit lets through. */
const maxLexicalTokens = 15_000;
/** How many mistakes of a document are told. */
const maxErrors = 5;

/** Serves the API at /graphql: JSON and multipart requests, and the landing page for browsers. */
export async function registerGraphql(app: FastifyInstance, context: AppContext): Promise<void> {
  const apollo = createApolloServer(app, context);
  await apollo.start();
  await app.register(async (scope) => {
    registerMultipart(scope, {
      maxFileBytes: context.config.audio.maxBytes,
      maxFieldBytes: 1024 * 1024,
      maxFiles: 1,
    });
    await scope.register(fastifyApollo(apollo), {
      path: "/graphql",
      method: ["GET", "POST"],
      context: (request) => {
        const origin = originOf(request, context.config.http.publicUrl);
        return Promise.resolve(createRequestContext(context, authenticate(), origin));
      },
    });
  });
}

export function createSchema() {
  return makeExecutableSchema({ typeDefs: readTypeDefinitions(), resolvers: [scalars, resolvers] });
}

function createApolloServer(app: FastifyInstance, context: AppContext): ApolloServer<RequestContext> {
  const { introspection, explorers } = context.config.http;
  return new ApolloServer<RequestContext>({
    schema: createSchema(),
    introspection,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxLexicalTokens },
    validationRules: [...documentRules],
    // Who may not ask for the schema must not get it word by word from "Did you mean".
    validationOptions: { maxErrors, hideSuggestions: !introspection },
    logger: context.logger,
    formatError: (formatted, error) => formatError(formatted, error, context.logger),
    plugins: [
      fastifyApolloDrainPlugin(app),
      ApolloServerPluginCacheControlDisabled(),
      queryCostPlugin({ hideSuggestions: !introspection }),
      explorers ? sandboxLandingPage() : ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
