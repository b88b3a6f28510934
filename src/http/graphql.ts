import { ApolloServer } from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import { fastifyApolloDrainPlugin, fastifyApolloHandler } from "@as-integrations/fastify";
import { makeExecutableSchema } from "@graphql-tools/schema";
import type { FastifyInstance } from "fastify";
import type { GraphQLSchema } from "graphql";
import type { AppContext } from "../app-context.js";
import { guardRoots } from "../resolvers/access.js";
import { countOperations } from "../resolvers/count-operations.js";
import { createRequestContext } from "../resolvers/request-context.js";
import type { RequestContext } from "../resolvers/request-context.js";
import { resolvers } from "../resolvers/resolvers.js";
import { scalars } from "../resolvers/scalars.js";
import { countGuesses } from "../services/rates/count-guesses.js";
import type { RateLimits } from "../services/rates/rate-limits.js";
import { readTypeDefinitions } from "../schema/type-definitions.js";
import { refuseOtherCharsets } from "./body-encoding.js";
import { formatError } from "./error-format.js";
import { answerNoExplorer, opensEndpoint, sandboxLandingPage } from "./explorers.js";
import { addressLimits } from "./limits/address-limits.js";
import { documentRules, maxErrors, maxLexicalTokens } from "./limits/document-rules.js";
import { maxQueryCost, queryCostPlugin } from "./limits/query-cost.js";
import { refuseSubscriptionsPlugin } from "./live/subscription-request.js";
import type { SocketRates } from "./live/settings.js";
import { Subscriptions } from "./live/subscriptions.js";
import { registerMultipart } from "./multipart.js";
import { originOf } from "./origin.js";
import { RequestError } from "./request-error.js";
import { requireSignIn, signInToOperation } from "./sign-in.js";
import { withoutReadingOn } from "./unread-body.js";

/**
 * Serves the API at /graphql: JSON and multipart requests, subscriptions over their two transports, and the landing
 * page for browsers.
 */
export async function registerGraphql(app: FastifyInstance, context: AppContext): Promise<Subscriptions> {
  const { config, logger } = context;
  const { rates } = context;
  const { countAddress, cameFrom } = addressLimits(rates, config.http);
  const authenticatorFor = (address: string) => countGuesses(context.authenticator, rates, address);
  const schema = createSchema();
  const apollo = createApolloServer(app, schema, context);
  await apollo.start();
  const answerByApollo = fastifyApolloHandler(apollo, {
    context: async (request) => {
      const origin = originOf(request, config.http.publicUrl);
      const from = cameFrom(request);
      const signIn = await signInToOperation(request, authenticatorFor(from.address));
      return createRequestContext(context, signIn, origin, from);
    },
  });
  const subscriptions = new Subscriptions(app, {
    schema,
    authenticatorFor,
    createContext: (viewer, origin, from) =>
      createRequestContext(context, { viewer, recheck: watched }, origin, from),
    http: config.http,
    limits: config.subscriptions,
    // Where nobody signs in everybody is one viewer, whom nothing bounds but the server itself.
    maxEventCost: context.authenticator.required ? maxQueryCost : null,
    rates: socketRates(rates),
    logger,
  });
  await app.register((scope, _options, done) => {
    scope.addHook("onRequest", countAddress);
    requireSignIn(scope, (request) => authenticatorFor(cameFrom(request).address));
    refuseOtherCharsets(scope);
    registerMultipart(scope, {
      maxFileBytes: config.audio.maxBytes,
      maxFieldBytes: 1024 * 1024,
      maxFiles: 1,
    });
    // After the multipart request has let go of its body.
    scope.addHook("onSend", withoutReadingOn);
    scope.route({
      method: ["GET", "POST"],
      url: "/graphql",
      handler: (request, reply) => {
        if (!config.http.explorers && opensEndpoint(request)) return answerNoExplorer(request, reply);
        return subscriptions.answer(request, reply) ?? answerByApollo.call(scope, request, reply);
      },
    });
    scope.route({
      method: ["PUT", "PATCH", "DELETE"],
      url: "/graphql",
      // Before Fastify looks for somebody who reads bodies of this type.
      onRequest: (_request, reply, next) => {
        void reply.header("allow", "GET, HEAD, POST");
        next(new RequestError(405, "Send operations by POST, or queries by GET."));
      },
      handler: () => undefined,
    });
    done();
  });
  return subscriptions;
}

function socketRates(rates: RateLimits): SocketRates {
  return {
    admitSocket: (address) => rates.takeForAddress(address, "reads"),
    admitOperation: async (address, { id }) => {
      await rates.takeForAddress(address, "reads");
      await rates.takeForViewer(id, "reads");
    },
  };
}

export function createSchema() {
  return countOperations(
    guardRoots(makeExecutableSchema({ typeDefs: readTypeDefinitions(), resolvers: [scalars, resolvers] })),
  );
}

function createApolloServer(
  app: FastifyInstance,
  schema: GraphQLSchema,
  context: AppContext,
): ApolloServer<RequestContext> {
  const { introspection, explorers } = context.config.http;
  return new ApolloServer<RequestContext>({
    schema,
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
      refuseSubscriptionsPlugin(),
      queryCostPlugin({ hideSuggestions: !introspection }),
      explorers ? sandboxLandingPage() : ApolloServerPluginLandingPageDisabled(),
    ],
  });
}

/** A connection that stays open is closed when its sign-in ends. */
const watched = () => Promise.resolve();
