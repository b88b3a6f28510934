import type { GraphiQLProps } from "graphiql";

type Fetcher = GraphiQLProps["fetcher"];
type FetcherResult = Awaited<ReturnType<Fetcher>>;

/** Sends operations to this server; `onAnswer` hears of every answer but those about the schema. */
export function createFetcher(onAnswer: (answer: unknown) => void): Fetcher {
  return async (params, options) => {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { ...options?.headers, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(params),
    });
    const answer = await readJson(response);
    if (params.operationName !== "IntrospectionQuery") onAnswer(answer);
    return answer as FetcherResult;
  };
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`HTTP ${response.status} ${response.statusText}: ${text.slice(0, 500)}`);
  }
}
