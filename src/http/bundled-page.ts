import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { extname } from "node:path";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { pageHeaders } from "./security-headers.js";

const assetTypes = new Map([
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
]);

/** What the build may leave beside an asset, best first: the ending of its name is the encoding of its content. */
const encodings = [
  { extension: ".br", encoding: "br" },
  { extension: ".gz", encoding: "gzip" },
] as const;

export interface BundledPageOptions {
  /** What the page is called where it is missing. */
  name: string;
  /** The folder that the build writes to: `index.html` and `assets/`; ends with a slash. */
  folder: URL;
  /** The paths that answer with the page. */
  paths: readonly string[];
  /** The path below which its assets lie; ends with a slash. */
  assetsPath: string;
  /** Headers besides those of every page: a content security policy at least. */
  headers: Readonly<Record<string, string>> & { "content-security-policy": string };
}

interface Page {
  bytes: Buffer;
  etag: string;
}

/** The files of one asset: as it is, and as the build has compressed it. */
type Asset = ReadonlyMap<"identity" | "br" | "gzip", URL>;

/**
 * Serves a page that was bundled for the browser, from this machine alone. Where it was not built, its paths answer
 * 404 and say how to build it.
 */
export async function registerBundledPage(app: FastifyInstance, options: BundledPageOptions): Promise<void> {
  const { name, folder, paths, assetsPath, headers } = options;
  const page = await readPage(new URL("index.html", folder));
  const assets = page === null ? new Map<string, Asset>() : await listAssets(new URL("assets/", folder));
  // A scope of its own, so that the headers concern nothing else.
  await app.register((scope, _options, done) => {
    scope.addHook("onRequest", (_request, reply, next) => {
      void reply.headers({ ...pageHeaders, ...headers });
      next();
    });
    for (const path of paths) {
      scope.get(path, (request, reply) =>
        page === null ? sendText(reply.code(404), notBuilt(name)) : sendPage(request, reply, page),
      );
    }
    scope.get<{ Params: { name: string } }>(`${assetsPath}:name`, (request, reply) =>
      sendAsset(request, reply, request.params.name, assets.get(request.params.name)),
    );
    done();
  });
}

function notBuilt(name: string): string {
  return `${name} is not built. Run \`npm run build\`, then start Parley again.\n`;
}

async function readPage(file: URL): Promise<Page | null> {
  const bytes = await readIfThere(file);
  if (bytes === null) return null;
  return { bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url")}"` };
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
async function listAssets(folder: URL): Promise<ReadonlyMap<string, Asset>> {
  const names = new Set(await readdir(folder));
  const assets = [...names].filter((name) => !encodings.some(({ extension }) => name.endsWith(extension)));
  return new Map(assets.map((name) => [name, filesOf(name, names, folder)]));
}

function filesOf(name: string, names: ReadonlySet<string>, folder: URL): Asset {
  const files = new Map<"identity" | "br" | "gzip", URL>([["identity", new URL(name, folder)]]);
  for (const { extension, encoding } of encodings)
    if (names.has(name + extension)) files.set(encoding, new URL(name + extension, folder));
  return files;
}

function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type("text/plain; charset=utf-8").header("cache-control", "no-store").send(text);
}

// The page names the assets of one build: an old page would ask for files that a later build has removed.
function sendPage(request: FastifyRequest, reply: FastifyReply, { bytes, etag }: Page): FastifyReply {
  void reply.headers({ "cache-control": "no-cache", etag });
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  return reply.type("text/html; charset=utf-8").send(bytes);
}

async function sendAsset(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  asset: Asset | undefined,
): Promise<FastifyReply> {
  const encoding = asset === undefined ? "identity" : chooseEncoding(request, asset);
  const file = asset?.get(encoding);
  const bytes = file === undefined ? null : await readIfThere(file);
  if (bytes === null) return sendText(reply.code(404), "There is no such file.\n");
  // Every name holds a hash of the content, so a name never stands for other bytes.
  void reply.headers({ "cache-control": "public, max-age=31536000, immutable", vary: "accept-encoding" });
  if (encoding !== "identity") void reply.header("content-encoding", encoding);
  return reply.type(assetTypes.get(extname(name)) ?? "application/octet-stream").send(bytes);
}

function chooseEncoding(request: FastifyRequest, asset: Asset): "identity" | "br" | "gzip" {
  const accepted = (request.headers["accept-encoding"] ?? "")
    .split(",")
    // "br;q=0" is a refusal.
    .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map((part) => part.split(";")[0]?.trim().toLowerCase());
  const found = encodings.find(({ encoding }) => accepted.includes(encoding) && asset.has(encoding));
  return found?.encoding ?? "identity";
}
