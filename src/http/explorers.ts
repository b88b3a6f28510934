import { readFile, readdir } from "node:fs/promises";
import { extname } from "node:path";

import type { ApolloServerPlugin } from "@apollo/server";
import { ApolloServerPluginLandingPageLocalDefault } from "@apollo/server/plugin/landingPage/default";
import type { FastifyInstance, FastifyReply } from "fastify";

import { firstConversationDocument, firstConversationVariables } from "./first-conversation.js";

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

const securityHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

const assetTypes = new Map([
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
]);

const notBuilt = "GraphiQL is not built. Run `npm run build`, then start Parley again.\n";

export interface ExplorerOptions {
  /** The folder that the build writes GraphiQL to (`dist/explorer/`); ends with a slash. */
  explorerDir: URL;
}

/**
 * Serves GraphiQL at `/graphiql`, from this machine alone. Where it was not built, `/graphiql` answers 404 and says
 * how to build it.
 */
export async function registerExplorer(
  app: FastifyInstance,
  { explorerDir }: ExplorerOptions,
): Promise<void> {
  const page = await readIfThere(new URL("index.html", explorerDir));
  const assets = page === null ? new Map<string, URL>() : await listAssets(new URL("assets/", explorerDir));
  // A scope of its own, so that the headers concern nothing else.
  await app.register((scope, _options, done) => {
    scope.addHook("onRequest", (_request, reply, next) => {
      void reply.headers(securityHeaders);
      next();
    });
    for (const path of ["/graphiql", "/graphiql/"]) {
      scope.get(path, (_request, reply) =>
        page === null ? sendText(reply.code(404), notBuilt) : sendPage(reply, page),
      );
    }
    scope.get<{ Params: { name: string } }>("/graphiql/assets/:name", (request, reply) =>
      sendAsset(reply, assets.get(request.params.name)),
    );
    done();
  });
}

async function readIfThere(file: URL): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

// Requests are looked up in this list, so that no name leads out of the folder.
async function listAssets(folder: URL): Promise<ReadonlyMap<string, URL>> {
  const names = await readdir(folder);
  return new Map(names.map((name) => [name, new URL(name, folder)]));
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("text/plain; charset=utf-8").header("cache-control", "no-store").send(text);
}

// The page names the assets of one build: an old page would ask for files that a later build has removed.
function sendPage(reply: FastifyReply, page: Buffer): FastifyReply {
  return reply.type("text/html; charset=utf-8").header("cache-control", "no-cache").send(page);
}

async function sendAsset(reply: FastifyReply, file: URL | undefined): Promise<FastifyReply> {
  const bytes = file === undefined ? null : await readIfThere(file);
  if (file === undefined || bytes === null) return sendText(reply.code(404), "There is no such file.\n");
  // Every name holds a hash of the content, so a name never stands for other bytes.
  void reply.header("cache-control", "public, max-age=31536000, immutable");
  return reply.type(assetTypes.get(extname(file.pathname)) ?? "application/octet-stream").send(bytes);
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
