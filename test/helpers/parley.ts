import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "@jest/globals";
import { pino } from "pino";
import { parseConfig } from "../../src/config/parse-config.js";
import type { Env } from "../../src/config/env.js";
import { pinoOptions } from "../../src/logger.js";
import { startServer } from "../../src/server.js";
import type { ParleyServer, ServerOptions } from "../../src/server.js";
import { startStandIn } from "../../src/stand-in/stand-in.js";
import type { StandIn, StandInOptions } from "../../src/stand-in/stand-in.js";
import { freshDatabaseUrl } from "./databases.js";
import type { DatabaseKind } from "./databases.js";

export interface GraphqlError {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; retryable: boolean; requestId: string; turnId?: string; retryAfterMs?: number };
}

export interface GraphqlAnswer<Data> {
  status: number;
  headers: Headers;
  data: Data;
  errors: GraphqlError[];
}

export interface TestParleyOptions {
  env?: Env;
  standIn?: Partial<StandInOptions>;
  /** Keyless, or with another endpoint. Default: the test's stand-in with a key. */
  model?: ServerOptions["model"];
  /** Clips have signed URLs, though nobody has to sign in. */
  signedAudio?: boolean;
  /** Not closed after the test: whoever started it closes it. */
  lasting?: boolean;
}

/** A real server on a free port, with a database and a folder of its own and the stand-in as its model. */
export class TestParley {
  readonly folder: string;
  readonly standIn: StandIn;
  /** Every SQL statement since the start, or since it was emptied. */
  readonly statements: string[] = [];
  /** Every line that was logged. */
  readonly log: string[] = [];
  readonly #env: Env;
  readonly #signedAudio: boolean | undefined;
  readonly #others: ParleyServer[] = [];
  #model: ServerOptions["model"];
  #server: ParleyServer;

  private constructor(parts: TestParleyParts) {
    this.folder = parts.folder;
    this.standIn = parts.standIn;
    this.#env = parts.env;
    this.#signedAudio = parts.signedAudio;
    this.#model = parts.model;
    this.#server = notStarted;
  }

  static async start(kind: DatabaseKind, options: TestParleyOptions = {}): Promise<TestParley> {
    const folder = await mkdtemp(join(tmpdir(), "parley-test-"));
    const standIn = await startStandIn({
      speech: "clip",
      logger: pino({ level: "silent" }),
      ...options.standIn,
    });
    const env = {
      DATABASE_URL: await freshDatabaseUrl(kind, folder),
      DATA_DIR: join(folder, "data"),
      PORT: "0",
      SHUTDOWN_GRACE_MS: "0",
      ...options.env,
    };
    const auth = { kind: "api-key", apiKey: "test-key" } as const;
    const model = options.model ?? { endpoint: standIn.url, deployment: "test-deployment", auth };
    const parley = new TestParley({ folder, standIn, env, model, signedAudio: options.signedAudio });
    if (options.lasting !== true) running.add(parley);
    await parley.#start();
    return parley;
  }

  get server(): ParleyServer {
    return this.#server;
  }

  get url(): string {
    return this.#server.url;
  }

  get databaseUrl(): string {
    return this.#env["DATABASE_URL"] ?? "";
  }

  get dataDir(): string {
    return this.#env["DATA_DIR"] ?? "";
  }

  /** Stops the server and starts it again on the same database and folder; with another model, where one is given. */
  async restart(changes: Env = {}, model: ServerOptions["model"] = this.#model): Promise<void> {
    await this.#server.close();
    this.#model = model;
    await this.#start(changes);
  }

  /** One more server on the same database and folder, which is closed with the first one. */
  async startAnother(changes: Env = {}): Promise<ParleyServer> {
    const other = await this.#startServer(changes);
    this.#others.push(other);
    return other;
  }

  /** Ends the servers that `startAnother` has started, the first one goes on. */
  async closeOthers(): Promise<void> {
    await Promise.all(this.#others.splice(0).map((server) => server.close()));
  }

  async close(): Promise<void> {
    running.delete(this);
    // The folder goes last: each of them may still write into it.
    await Promise.all([this.closeOthers(), this.#server.close()]);
    await this.standIn.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Sends an operation as JSON and answers what came, errors included. */
  send<Data>(
    query: string,
    variables: object = {},
    headers: Record<string, string> = {},
  ): Promise<GraphqlAnswer<Data>> {
    return sendOperation<Data>(this.url, query, variables, headers);
  }

  /** Sends an operation that must not fail, and answers its data. */
  async ask<Data>(query: string, variables: object = {}): Promise<Data> {
    const { data, errors } = await this.send<Data>(query, variables);
    if (errors.length > 0) throw new Error(this.#tell(errors));
    return data;
  }

  /** With what the log says of it: nobody else is told why a server has failed. */
  #tell(errors: GraphqlError[]): string {
    const logged = this.log.filter((line) =>
      errors.some(({ extensions }) => line.includes(extensions.requestId)),
    );
    return `the operation failed: ${JSON.stringify(errors)}\n${logged.join("")}`;
  }

  /** Sends an operation with one file part, by the multipart request spec; `path` is the variable that it fills. */
  upload<Data>(query: string, variables: object, path: string, file: Blob): Promise<GraphqlAnswer<Data>> {
    return uploadFile<Data>(this.url, { query, variables, path, file });
  }

  async #start(changes: Env = {}): Promise<void> {
    this.#server = await this.#startServer(changes);
  }

  /** Answers when what a server removes at its start is removed: no test meets it in the middle of that by chance. */
  async #startServer(changes: Env): Promise<ParleyServer> {
    const logger = pino(pinoOptions("trace"), { write: (line: string) => void this.log.push(line) });
    const onStatement = (sql: string) => void this.statements.push(sql);
    const server = await startServer(parseConfig({ ...this.#env, ...changes }), {
      logger,
      onStatement,
      model: this.#model,
      ...(this.#signedAudio === undefined ? {} : { signedAudio: this.#signedAudio }),
    });
    await server.context.housekeeping.settled();
    return server;
  }
}

interface TestParleyParts {
  folder: string;
  standIn: StandIn;
  env: Env;
  model: ServerOptions["model"];
  signedAudio: boolean | undefined;
}

/** Sends an operation as JSON to the server at the origin and answers what came, errors included. */
export async function sendOperation<Data>(
  origin: string,
  query: string,
  variables: object,
  headers: Record<string, string> = {},
): Promise<GraphqlAnswer<Data>> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return readAnswer<Data>(response);
}

/** Sends an operation with one file part to the server at the origin; `path` is the variable that it fills. */
export async function uploadFile<Data>(
  origin: string,
  upload: { query: string; variables: object; path: string; file: Blob },
): Promise<GraphqlAnswer<Data>> {
  const { query, variables, path, file } = upload;
  const form = new FormData();
  form.set("operations", JSON.stringify({ query, variables }));
  form.set("map", JSON.stringify({ 0: [path] }));
  form.set("0", file, "question.wav");
  const headers = { "apollo-require-preflight": "true" };
  return readAnswer<Data>(await fetch(`${origin}/graphql`, { method: "POST", headers, body: form }));
}

async function readAnswer<Data>(response: Response): Promise<GraphqlAnswer<Data>> {
  const body = (await response.json()) as { data?: Data; errors?: GraphqlError[] };
  return {
    status: response.status,
    headers: response.headers,
    data: body.data as Data,
    errors: body.errors ?? [],
  };
}

const notStarted = { close: () => Promise.resolve() } as ParleyServer;

const running = new Set<TestParley>();

afterEach(async () => {
  for (const parley of [...running]) await parley.close();
});

/** One server for all tests of a suite, each of which keeps to conversations of its own. */
export function sharedParley(kind: DatabaseKind, options: TestParleyOptions = {}): () => TestParley {
  let parley: TestParley | null = null;
  beforeAll(async () => {
    parley = await TestParley.start(kind, { ...options, lasting: true });
  });
  afterAll(async () => {
    await parley?.close();
  });
  return () => {
    if (parley === null) throw new Error("the server has not started");
    return parley;
  };
}
