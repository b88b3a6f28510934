import type { ApolloServerPlugin } from "@apollo/server";
import { ApolloServerErrorCode } from "@apollo/server/errors";
import type { FastifyRequest } from "fastify";
import { getOperationAST, GraphQLError, OperationTypeNode } from "graphql";
import type { DocumentNode } from "graphql";
import { z } from "zod";
import { parseDocument } from "./check-operation.js";
import type { OperationRequest } from "./check-operation.js";

/** What a subscription that came in another way is answered with. */
export const howToSubscribe =
  "A subscription needs a connection that stays open: a WebSocket with the subprotocol graphql-transport-ws, or a " +
  "POST of JSON with the header `Accept: multipart/mixed;subscriptionSpec=1.0`.";

const namedShape = z.object({ query: z.string(), operationName: z.string().nullish() });
const postedShape = namedShape.extend({ variables: z.record(z.string(), z.unknown()).nullish() });

export interface SubscriptionRequest extends OperationRequest {
  document: DocumentNode;
}

/** The subscription that an HTTP request asks for; null for every other request, valid or not: those are Apollo's. */
export function readSubscription({ method, body, query }: FastifyRequest): SubscriptionRequest | null {
  const posted = method === "POST";
  const { data } = posted ? postedShape.safeParse(body) : namedShape.safeParse(query);
  // Spares all other operations a second reading.
  if (data === undefined || !/\bsubscription\b/.test(data.query)) return null;
  const document = parseDocument(data.query);
  if ("refused" in document) return null;
  const operation = getOperationAST(document, data.operationName);
  return operation?.operation === OperationTypeNode.SUBSCRIPTION ? { ...data, document } : null;
}

/** Whether the answer may be a stream of parts. Browsers let no foreign page send JSON without asking first (CORS). */
export function mayBeStreamed({ method, headers }: FastifyRequest): boolean {
  const sendsJson = /^application\/json\b/i.test(headers["content-type"] ?? "");
  return method === "POST" && sendsJson && acceptsEventParts(headers.accept ?? "");
}

function acceptsEventParts(accept: string): boolean {
  return accept.split(",").some((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    return /^multipart\/mixed$/i.test(type ?? "") && parameters.some((text) => isProtocol(text));
  });
}

function isProtocol(parameter: string): boolean {
  return /^subscriptionSpec\s*=\s*"?1\.0"?$/i.test(parameter);
}

/**
 * Apollo would run a subscription as if it were a query. None gets as far but one that is sent by the hash of a
 * persisted document.
 */
export function refuseSubscriptionsPlugin<Context extends object>(): ApolloServerPlugin<Context> {
  const extensions = { code: ApolloServerErrorCode.BAD_REQUEST, http: { status: 406 } };
  return {
    requestDidStart: () =>
      Promise.resolve({
        didResolveOperation: ({ operation }) => {
          if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return Promise.resolve();
          throw new GraphQLError(howToSubscribe, { extensions });
        },
      }),
  };
}
