import type { ApolloServerPlugin } from "@apollo/server";
import { ApolloServerPluginLandingPageLocalDefault } from "@apollo/server/plugin/landingPage/default";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ParleyError } from "../errors.js";
import { registerBundledPage } from "./bundled-page.js";
import { firstConversationDocument, firstConversationVariables } from "./first-conversation.js";
import { sendError } from "./http-errors.js";

const explorerPaths = ["/graphiql", "/graphiql/"];

// The editor writes its styles into the page, hence 'unsafe-inline' for styles; scripts come from files alone.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "media-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export interface ExplorerOptions {
  /** The folder that the build writes GraphiQL to (`dist/explorer/`); ends with a slash. */
  explorerDir: URL;
}

/** Serves GraphiQL at `/graphiql`. */
export function registerExplorer(app: FastifyInstance, { explorerDir }: ExplorerOptions): Promise<void> {
  return registerBundledPage(app, {
    name: "GraphiQL",
    folder: explorerDir,
    paths: explorerPaths,
    assetsPath: "/graphiql/assets/",
    headers: { "content-security-policy": contentSecurityPolicy },
  });
}

/** Says at the explorer's own paths that there is none. */
export function registerNoExplorer(app: FastifyInstance): void {
  for (const path of explorerPaths) app.get(path, (request, reply) => answerNoExplorer(request, reply));
}

/** Whether a browser opens the endpoint, rather than a program asks it. */
export function opensEndpoint({ method, url, headers }: FastifyRequest): boolean {
  return method === "GET" && !url.includes("?") && headers.accept?.includes("text/html") === true;
}

export function answerNoExplorer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const told = "Explorers are off here; EXPLORERS=1 turns them on. Programs ask the API at /graphql.";
  return sendError(reply, request, new ParleyError("NOT_FOUND", told));
}

// The plugin has no option for it; Sandbox itself does.
const endpointOption = "      initialEndpoint,\n";
const subscriptionOption = '      initialSubscriptionEndpoint: initialEndpoint.replace(/^http/, "ws"),\n';
const offlineNotice = "it appears that you might be offline.";
// CSRF prevention asks for it in uploads, because browsers send multipart requests to any origin without a preflight.
const preflightHeader = { "apollo-require-preflight": "true" };

/**
 * Apollo Sandbox as the page that a browser sees at the GraphQL endpoint, opened with the first conversation. It loads
 * from Apollo's servers; without internet the page says so and names GraphiQL.
 */
export function sandboxLandingPage(): ApolloServerPlugin {
  const sandbox = ApolloServerPluginLandingPageLocalDefault({
    // Shared headers go with the operations of every tab, `headers` is what the first tab shows.
    embed: {
      runTelemetry: false,
      initialState: { pollForSchemaUpdates: false, sharedHeaders: preflightHeader },
    },
    document: firstConversationDocument,
    variables: firstConversationVariables,
    headers: preflightHeader,
    includeCookies: false,
  });
  return {
    ...sandbox,
    serverWillStart: async (service) => {
      const listener = await sandbox.serverWillStart?.(service);
      const page = await listener?.renderLandingPage?.();
      if (page === undefined) return;
      return { renderLandingPage: () => Promise.resolve({ html: () => completed(page.html) }) };
    },
  };
}

async function completed(html: string | (() => Promise<string>)): Promise<string> {
  const text = typeof html === "string" ? html : await html();
  return text
    .replace(offlineNotice, `${offlineNotice} GraphiQL needs no internet: open /graphiql.`)
    .replace(endpointOption, endpointOption + subscriptionOption);
}
