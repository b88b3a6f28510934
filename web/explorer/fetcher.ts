import type { GraphiQLProps } from "graphiql";
import { getOperationAST, OperationTypeNode } from "graphql";

import { createListener } from "./listener.js";

type Fetcher = GraphiQLProps["fetcher"];
type Params = Parameters<Fetcher>[0];
type Options = Parameters<Fetcher>[1];
type FetcherResult = Awaited<ReturnType<Fetcher>>;

/**
 * Sends operations to this server, subscriptions over a WebSocket; `onAnswer` hears of every answer and event but those
 * about the schema.
 */
export function createFetcher(onAnswer: (answer: unknown) => void): Fetcher {
  const listen = createListener(new URL("/graphql", location.href.replace(/^http/, "ws")).href, onAnswer);
  return (params, options) =>
    // GraphiQL's type is that of results before they became JSON.
    isSubscription(params, options) ? (listen(params) as FetcherResult) : ask(params, options, onAnswer);
}

function isSubscription({ operationName }: Params, options: Options): boolean {
  if (options?.documentAST == null) return false;
  const operation = getOperationAST(options.documentAST, operationName);
  return operation?.operation === OperationTypeNode.SUBSCRIPTION;
}

async function ask(
  params: Params,
  options: Options,
  onAnswer: (answer: unknown) => void,
): Promise<FetcherResult> {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { ...options?.headers, "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(params),
  });
  const answer = await readJson(response);
  if (params.operationName !== "IntrospectionQuery") onAnswer(answer);
  return answer as FetcherResult;
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`HTTP ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}
