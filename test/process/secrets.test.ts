import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import pg from "pg";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { EchoingProvider } from "../helpers/echoing-provider.js";
import type { Echo } from "../helpers/echoing-provider.js";
import { Issuer } from "../helpers/issuer.js";
import {
  addAudioTurn,
  addTextTurn,
  cancelTurn,
  deleteConversation,
  readTurn,
  retryTurn,
  startConversation,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import {
  ChildProgram,
  ParleyProcess,
  spawnParley,
  temporaryFolder,
  testStandIn,
} from "../helpers/parley-process.js";
import { sendOperation } from "../helpers/parley.js";
import type { GraphqlAnswer } from "../helpers/parley.js";
import { refuseEnds } from "../helpers/refused-writes.js";
import { Secrets } from "../helpers/secrets.js";
import { openSql } from "../helpers/sql.js";
import type { Sql } from "../helpers/sql.js";
import { createAudioUpload } from "../helpers/uploads.js";
import type { CreatedUpload } from "../helpers/uploads.js";
import { RawSocket } from "../live/raw-socket.js";
import { silentWav } from "../stand-in/support.js";
import type { StandIn } from "../../src/stand-in/stand-in.js";

type Headers = Record<string, string>;
type Added = { addTextTurn: { turn: Turn } } | { addAudioTurn: { turn: Turn } } | null;

/** A module that throws where nothing catches it, with a row and a request in the error, as libraries have them. */
async function breakerIn(folder: string, secret: string): Promise<string> {
  const file = join(folder, "breaker.mjs");
  const held = `{ detail: "Failing row (${secret})", request: { body: "${secret}" } }`;
  const fault = `Object.assign(new Error("broken on purpose"), ${held})`;
  await writeFile(file, `process.on("SIGUSR2", () => { throw ${fault}; });`);
  return `--import=${pathToFileURL(file).href}`;
}

interface SceneParts {
  parley: ParleyProcess;
  standIn: StandIn;
  provider: EchoingProvider;
  issuer: Issuer;
  sql: Sql;
  authorization: Headers;
  otherAuthorization: Headers;
  folder: string;
  databaseUrl: string;
}

/** One server, one person who uses it, and everything that nobody else may see. */
class Scene {
  readonly secrets = new Secrets();
  /** What somebody else was answered. */
  readonly toOthers: string[] = [];
  /** Errors that the person themselves was answered. */
  readonly toSender: string[] = [];
  readonly credentials = new Secrets();
  readonly folder: string;
  readonly databaseUrl: string;

  readonly parley: ParleyProcess;
  readonly standIn: StandIn;
  readonly provider: EchoingProvider;
  readonly issuer: Issuer;
  readonly sql: Sql;
  readonly authorization: Headers;
  readonly otherAuthorization: Headers;

  constructor(parts: SceneParts) {
    this.parley = parts.parley;
    this.standIn = parts.standIn;
    this.provider = parts.provider;
    this.issuer = parts.issuer;
    this.sql = parts.sql;
    this.authorization = parts.authorization;
    this.otherAuthorization = parts.otherAuthorization;
    this.folder = parts.folder;
    this.databaseUrl = parts.databaseUrl;
  }

  mark(name: string): string {
    return this.secrets.mark(name);
  }

  async send<Data>(
    query: string,
    variables: object = {},
    headers: Headers = {},
  ): Promise<GraphqlAnswer<Data>> {
    const answer = await sendOperation<Data>(this.parley.url, query, variables, {
      ...this.authorization,
      ...headers,
    });
    if (answer.errors.length > 0) this.toSender.push(JSON.stringify(answer.errors));
    return answer;
  }

  /** The code that the operation is refused with. */
  async refused(query: string, variables: object = {}, headers: Headers = {}): Promise<string | undefined> {
    return (await this.send(query, variables, headers)).errors[0]?.extensions.code;
  }

  async fetched(path: string, init: RequestInit): Promise<number> {
    const headers = { ...this.authorization, ...(init.headers as Headers | undefined) };
    const response = await fetch(new URL(path, this.parley.url), { ...init, headers });
    const text = await response.text();
    if (!response.ok) this.toSender.push(text + JSON.stringify([...response.headers]));
    return response.status;
  }

  async conversation(): Promise<string> {
    const input = { title: this.mark("title"), instructions: this.mark("instructions") };
    const { data } = await this.send<{ startConversation: { conversation: { id: string } } }>(
      startConversation,
      {
        input,
      },
    );
    return data.startConversation.conversation.id;
  }

  /** The turn that a text led to. */
  async say(conversationId: string, name: string, more: object = {}): Promise<Turn> {
    const text = `Say '${this.mark(name)}'.`;
    const { data, errors } = await this.send<Added>(addTextTurn, {
      input: { conversationId, text, ...more },
    });
    return turnOf(data, errors);
  }

  markedWav(name: string): Buffer {
    const wav = silentWav(200);
    wav.write(this.mark(name), 145, "latin1");
    return wav;
  }
}

function turnOf(data: Added, errors: unknown): Turn {
  if (data === null) throw new Error(JSON.stringify(errors));
  return "addTextTurn" in data ? data.addTextTurn.turn : data.addAudioTurn.turn;
}

/** On Postgres somebody with a password of their own, so that it can be told from every other text. */
async function databaseUrlWithPassword(
  kind: DatabaseKind,
  folder: string,
  password: string,
): Promise<string> {
  const url = await freshDatabaseUrl(kind, folder);
  if (kind === "sqlite") return url;
  const administrator = new pg.Client({ connectionString: url });
  await administrator.connect();
  const role = `r_${randomUUID().replaceAll("-", "")}`;
  await administrator.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${password}'`);
  await administrator.end();
  return Object.assign(new URL(url), { username: role, password }).href;
}

async function openScene(kind: DatabaseKind): Promise<Scene> {
  const made = new Secrets();
  const [folder, standIn, issuer] = [await temporaryFolder(), await testStandIn(), await Issuer.start()];
  const provider = await EchoingProvider.start(standIn.url);
  const [password, modelKey, uncaught] = ["password", "model key", "uncaught"].map((name) => made.mark(name));
  const databaseUrl = await databaseUrlWithPassword(kind, folder, password ?? "");
  const parley = await ParleyProcess.start(folder, {
    ...issuer.settings(),
    AZURE_OPENAI_ENDPOINT: provider.url,
    AZURE_OPENAI_DEPLOYMENT_NAME: "test-deployment",
    AZURE_OPENAI_API_KEY: modelKey,
    DATABASE_URL: databaseUrl,
    DATA_DIR: join(folder, "data"),
    LOG_LEVEL: "trace",
    NODE_ENV: "production",
    OPENAI_LOG: "debug",
    NODE_OPTIONS: await breakerIn(folder, uncaught ?? ""),
  });
  const tokens = await Promise.all(["ada", "bert"].map((name) => issuer.token(name)));
  const [own = {}, other = {}] = tokens.map((token) => ({ authorization: `Bearer ${token}` }));
  const sql = await openSql(databaseUrl);
  const scene = new Scene({
    parley,
    standIn,
    provider,
    issuer,
    sql,
    authorization: own,
    otherAuthorization: other,
    folder,
    databaseUrl,
  });
  for (const secrets of [scene.secrets, scene.credentials]) {
    secrets.keep("password", password ?? "");
    secrets.keep("model key", modelKey ?? "");
    secrets.keep("uncaught", uncaught ?? "");
    tokens.forEach((token, index) => secrets.keep(`token ${index}`, token.split(".").slice(1).join(".")));
  }
  return scene;
}

async function talk(scene: Scene, conversationId: string): Promise<void> {
  const turn = await scene.say(conversationId, "words");
  expect(turn.status).toBe("COMPLETED");
  expect(scene.secrets.foundIn(turn.assistantMessage?.transcript ?? "")).toEqual(["words"]);
  const idempotencyKey = scene.mark("idempotency key");
  const keyed = await scene.say(conversationId, "keyed words", { idempotencyKey });
  expect(keyed.status).toBe("COMPLETED");
  const again = { conversationId, text: scene.mark("reused words"), idempotencyKey };
  expect(await scene.refused(addTextTurn, { input: again })).toBe("IDEMPOTENCY_KEY_REUSED");
  const found = await scene.send<object>(
    "query ($s: String) { conversations(filter: { search: $s }) { totalCount } }",
    {
      s: scene.mark("search"),
    },
  );
  expect(found.data).toEqual({ conversations: { totalCount: 0 } });
}

async function speak(scene: Scene, conversationId: string): Promise<void> {
  const base64 = scene.markedWav("base64 sound").toString("base64");
  const spoken = await scene.send<Added>(addAudioTurn, { input: { conversationId, audio: { base64 } } });
  expect(turnOf(spoken.data, spoken.errors).status).toBe("COMPLETED");

  const form = new FormData();
  const variables = { input: { conversationId, audio: { upload: null }, text: scene.mark("text of sound") } };
  form.set("operations", JSON.stringify({ query: addAudioTurn, variables }));
  form.set("map", JSON.stringify({ 0: ["variables.input.audio.upload"] }));
  form.set("0", new Blob([new Uint8Array(scene.markedWav("uploaded sound"))]), scene.mark("file name"));
  const multipart = { "apollo-require-preflight": "true" };
  expect(await scene.fetched("/graphql", { method: "POST", body: form, headers: multipart })).toBe(200);

  const broken = scene.markedWav("broken sound").subarray(45);
  const refused = { conversationId, audio: { base64: broken.toString("base64") } };
  expect(await scene.refused(addAudioTurn, { input: refused })).toBe("AUDIO_FORMAT_UNSUPPORTED");
  const noBase64 = { conversationId, audio: { base64: `!${scene.mark("no base64")}` } };
  expect(await scene.refused(addAudioTurn, { input: noBase64 })).toBe("BAD_USER_INPUT");
}

async function upload(scene: Scene, conversationId: string): Promise<void> {
  const wav = scene.markedWav("sound by URL");
  const { data } = await scene.send<{ createAudioUpload: CreatedUpload }>(createAudioUpload, {
    input: { byteLength: wav.byteLength, sha256: null },
  });
  const { uploadId, uploadUrl } = data.createAudioUpload;
  const signature = new URL(uploadUrl).searchParams.get("signature") ?? "";
  for (const secrets of [scene.secrets, scene.credentials]) secrets.keep("signature of an upload", signature);
  const put = (url: string, sound = wav) => fetch(url, { method: "PUT", body: new Uint8Array(sound) });
  const changed = await put(uploadUrl.replace(signature, scene.mark("made-up signature")));
  expect(changed.status).toBe(403);
  scene.toOthers.push(await changed.text());
  expect((await put(uploadUrl)).status).toBe(200);
  const twice = await put(uploadUrl, scene.markedWav("other sound by URL"));
  expect(twice.status).toBe(409);
  scene.toOthers.push(await twice.text());
  const used = await scene.send<Added>(addAudioTurn, { input: { conversationId, audio: { uploadId } } });
  const url = turnOf(used.data, used.errors).userMessage.audio?.url ?? "";
  const heard = new URL(url).searchParams.get("signature") ?? "";
  for (const secrets of [scene.secrets, scene.credentials]) secrets.keep("signature of a clip", heard);
  expect((await fetch(url)).status).toBe(200);
  const ended = await fetch(url.replace("expires=1", "expires=2"));
  expect(ended.status).toBe(403);
  scene.toOthers.push(await ended.text());
}

async function failAtTheModel(scene: Scene): Promise<void> {
  const conversationId = await scene.conversation();
  const names = [
    "rejected",
    "unauthorized",
    "content-filter-prompt",
    "content-filter-answer",
    "stream-error",
  ] as const;
  for (const name of [...names, "cut", "server-error", "context-length", "too-large"] as const) {
    scene.standIn.failNext({ name });
    expect([name, (await scene.say(conversationId, `words at ${name}`)).status]).toEqual([name, "FAILED"]);
  }
  const echoes: Echo[] = [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 302, "stream-error", "nonsense"];
  for (const echo of echoes) {
    scene.provider.echoNext(echo);
    const turn = await scene.say(conversationId, `words repeated by ${echo}`);
    // What was refused for the moment is asked again.
    expect([echo, turn.status]).toEqual([echo, echo === 429 ? "COMPLETED" : "FAILED"]);
    scene.toSender.push(JSON.stringify(turn.error));
  }
  expect(scene.provider.echoed).toBe(echoes.length);
}

async function sendWrongOperations(scene: Scene, conversationId: string): Promise<void> {
  const wrong = (name: string) => ({ [scene.mark(`name of ${name}`)]: scene.mark(`value of ${name}`) });
  for (const text of [wrong("an object"), [scene.mark("item")], 7]) {
    expect(await scene.refused(addTextTurn, { input: { conversationId, text } })).toBe("BAD_USER_INPUT");
  }
  const unknown = { conversationId, text: "Hello", ...wrong("an unknown field") };
  expect(await scene.refused(addTextTurn, { input: unknown })).toBe("BAD_USER_INPUT");
  const tooLong = { input: { title: scene.mark("long title").repeat(100) } };
  expect(await scene.refused(startConversation, tooLong)).toBe("BAD_USER_INPUT");
  expect(await scene.refused(readTurn, { id: scene.mark("id of a turn") })).toBe(undefined);
  expect(await scene.refused(`{ viewer { ${scene.mark("unparsed")} `)).toBe("GRAPHQL_PARSE_FAILED");
  expect(await scene.refused(`{ ${scene.mark("field")}(a: "${scene.mark("argument")}") }`)).toBe(
    "GRAPHQL_VALIDATION_FAILED",
  );
  const aliases = Array.from({ length: 40 }, (_, index) => `${scene.mark(`alias ${index}`)}: __typename`);
  expect(await scene.refused(`{ ${aliases.join(" ")} }`)).toBe("QUERY_TOO_COMPLEX");
}

async function sendWrongRequests(scene: Scene): Promise<void> {
  const json = { "content-type": "application/json" };
  const odd = { cookie: `session=${scene.mark("cookie")}`, "x-odd": scene.mark("odd header") };
  const post = (body: string | FormData, headers: Headers = json) =>
    scene.fetched("/graphql", { method: "POST", body, headers: { ...odd, ...headers } });
  expect(await post(`{"query": "${scene.mark("no JSON")}`)).toBe(400);
  expect(await post(scene.mark("text"), { "content-type": `text/${scene.mark("type")}` })).toBe(415);
  expect(await post(JSON.stringify([{ query: scene.mark("batch") }]))).toBe(400);
  const preflight = { "apollo-require-preflight": "true" };
  for (const [operations, map] of [
    [scene.mark("operations"), "{}"],
    [JSON.stringify({ query: "{ __typename }" }), scene.mark("map")],
    [JSON.stringify({ query: "{ __typename }" }), JSON.stringify({ 0: [scene.mark("path of a file")] })],
  ] as const) {
    const form = new FormData();
    form.set("operations", operations);
    form.set("map", map);
    form.set("0", new Blob([scene.mark("part")]), scene.mark("name of a part"));
    expect(await post(form, preflight)).toBe(400);
  }
  const get = (path: string) => scene.fetched(path, { headers: odd });
  expect(await get(`/graphql?query=${scene.mark("query in a URL")}`)).toBe(400);
  expect(await get(`/${scene.mark("path")}`)).toBe(404);
  expect(await get(`/%ff${scene.mark("undecodable path")}`)).toBe(400);
  expect(await get(`/audio/${scene.mark("clip")}`)).toBe(404);
  expect(await scene.fetched(`/uploads/${scene.mark("upload")}`, { method: "POST" })).toBe(405);
}

async function signInWrongly(scene: Scene): Promise<void> {
  const token = await scene.issuer.token("ada", { secret: scene.mark("claim"), exp: 1 });
  const signature = token.split(".")[2] ?? "";
  for (const secrets of [scene.secrets, scene.credentials]) secrets.keep("ended token", signature);
  for (const authorization of [
    `Bearer ${token}`,
    `Bearer ${scene.mark("made-up token")}`,
    `Bearer a.${scene.mark("made-up claims")}.c`,
    `Basic ${scene.mark("basic")}`,
    scene.mark("no scheme"),
  ]) {
    const answer = await sendOperation(scene.parley.url, "{ viewer { id } }", {}, { authorization });
    expect(answer.status).toBe(401);
    scene.toOthers.push(JSON.stringify(answer.errors));
  }
}

async function useSockets(scene: Scene, conversationId: string): Promise<void> {
  const url = `${scene.parley.url.replace("http", "ws")}/graphql`;
  const close = async (messages: readonly string[]) => {
    const socket = await RawSocket.connect(url);
    for (const message of messages) socket.socket.send(message);
    const { code, reason } = await socket.closed;
    scene.toSender.push(reason);
    return code;
  };
  const init = (payload: object) => JSON.stringify({ type: "connection_init", payload });
  const good = init({ ...scene.authorization, other: scene.mark("payload") });
  expect(await close([init({ authorization: `Bearer ${scene.mark("token of a socket")}` })])).toBe(4403);
  expect(await close([scene.mark("no message")])).toBe(4400);
  expect(await close([good, JSON.stringify({ type: scene.mark("type of a message") })])).toBe(4400);
  const socket = await RawSocket.connect(url, { headers: { cookie: scene.mark("cookie of a socket") } });
  socket.socket.send(good);
  expect(await socket.next()).toMatchObject({ type: "connection_ack" });
  const input = { conversationId, text: `Say '${scene.mark("words over a socket")}'.` };
  socket.subscribe("1", addTextTurn, { input });
  expect(await socket.next()).toMatchObject({
    type: "next",
    payload: { data: { addTextTurn: expect.anything() } },
  });
  expect(await socket.next()).toMatchObject({ type: "complete" });
  socket.subscribe("2", addTextTurn, { input: { ...input, [scene.mark("field over a socket")]: 1 } });
  const refused = await socket.next();
  expect(refused).toMatchObject({ type: "error" });
  scene.toSender.push(JSON.stringify(refused));
  socket.subscribe("3", `{ ${scene.mark("unparsed over a socket")} `);
  const unparsed = await socket.next();
  expect(unparsed).toMatchObject({ type: "error" });
  scene.toSender.push(JSON.stringify(unparsed));
  socket.socket.terminate();
}

/** A database that takes no message, in three ways, the words of all of which are at hand when it fails. */
async function failAtTheDatabase(scene: Scene, kind: DatabaseKind): Promise<void> {
  const conversationId = await scene.conversation();
  const { sql } = scene;
  const refusals: [string, string][] = [
    [
      'ALTER TABLE "Message" RENAME COLUMN "text" TO "words"',
      'ALTER TABLE "Message" RENAME COLUMN "words" TO "text"',
    ],
  ];
  if (kind === "postgresql") {
    // Postgres tells the whole row ("Failing row contains …"), and the value that it could not read.
    refusals.push(
      [
        'ALTER TABLE "Message" ADD CONSTRAINT "never" CHECK (false) NOT VALID',
        'ALTER TABLE "Message" DROP CONSTRAINT "never"',
      ],
      [
        `CREATE FUNCTION read_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM NEW."text"::integer; RETURN NEW; END $$`,
        "SELECT 1",
      ],
      [
        'CREATE TRIGGER read_it BEFORE INSERT ON "Message" FOR EACH ROW EXECUTE FUNCTION read_it()',
        'DROP TRIGGER read_it ON "Message"',
      ],
    );
  }
  for (const [refuse, undo] of refusals) {
    await sql(refuse);
    const input = { conversationId, text: scene.mark("words that are not written") };
    const code = await scene.refused(addTextTurn, { input });
    await sql(undo);
    if (!refuse.startsWith("CREATE FUNCTION")) expect(code).toBe("INTERNAL_SERVER_ERROR");
  }
  const unwritten = await scene.conversation();
  const allow = await refuseEnds(sql, scene.databaseUrl);
  const turn = await scene.say(unwritten, "words whose end is not written", { waitMs: 0 });
  await scene.parley.program.printed("stderr", /writing the end of a turn failed/);
  await allow();
  const ended = async () =>
    (await scene.send<{ turn: Turn }>(readTurn, { id: turn.id })).data.turn.status === "COMPLETED";
  while (!(await ended())) await delay(50);
}

async function failAtTheStore(scene: Scene, conversationId: string): Promise<void> {
  const audio = join(scene.folder, "data", "audio");
  await rename(audio, `${audio}-away`);
  await writeFile(audio, "no folder");
  const base64 = scene.markedWav("sound that is not stored").toString("base64");
  expect(await scene.refused(addAudioTurn, { input: { conversationId, audio: { base64 } } })).toBe(
    "INTERNAL_SERVER_ERROR",
  );
  const failed = await scene.say(conversationId, "words whose sound is not stored");
  expect(failed.status).not.toBe("RUNNING");
  await rm(audio);
  await rename(`${audio}-away`, audio);
}

/** Somebody else who knows every id. */
async function comeAsAnother(scene: Scene, conversationId: string): Promise<void> {
  const turn = await scene.say(conversationId, "words that another asks for");
  const input = { conversationId, text: "Hello" };
  const operations: [string, object][] = [
    [readTurn, { id: turn.id }],
    ["query ($id: ID!) { conversation(id: $id) { title instructions } }", { id: conversationId }],
    ["query ($id: ID!) { node(id: $id) { __typename id } }", { id: turn.userMessage.id }],
    ["{ conversations { nodes { id title } } }", {}],
    [addTextTurn, { input }],
    [retryTurn, { input: { turnId: turn.id } }],
    [cancelTurn, { input: { turnId: turn.id } }],
    [deleteConversation, { id: conversationId }],
  ];
  for (const [operation, variables] of operations) {
    const answer = await sendOperation(scene.parley.url, operation, variables, scene.otherAuthorization);
    expect(answer.status).toBe(200);
    scene.toOthers.push(JSON.stringify([answer.data, answer.errors]));
  }
  const [plain = ""] = (turn.assistantMessage?.audio?.url ?? "").split("?");
  for (const headers of [scene.otherAuthorization, {}]) {
    const answer = await fetch(plain, { headers });
    expect([401, 404]).toContain(answer.status);
    scene.toOthers.push(await answer.text());
  }
}

async function breakConnections(scene: Scene): Promise<void> {
  await scene.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  await scene.parley.program.printed("stderr", /the connection on which servers wake each other broke/);
}

onEachDatabase("What is said and what signs people in", (kind) => {
  it("stands in no log, and in no answer to anybody else, whichever way it comes and whatever fails", async () => {
    const scene = await openScene(kind);
    const conversationId = await scene.conversation();
    await talk(scene, conversationId);
    await speak(scene, conversationId);
    await upload(scene, conversationId);
    await failAtTheModel(scene);
    await sendWrongOperations(scene, conversationId);
    await sendWrongRequests(scene);
    await signInWrongly(scene);
    await useSockets(scene, conversationId);
    await failAtTheDatabase(scene, kind);
    await failAtTheStore(scene, conversationId);
    await comeAsAnother(scene, conversationId);
    if (kind === "postgresql") await breakConnections(scene);
    scene.parley.program.signal("SIGUSR2");
    const { code, stdout, stderr } = await scene.parley.program.ended;

    expect(code).toBe(1);
    for (const told of ["turn failed", "turn ended", "a fault of the server", "a fault that nothing caught"])
      expect(stderr).toContain(told);
    const leaks = (stdout + stderr).split("\n").filter((line) => scene.secrets.foundIn(line).length > 0);
    expect(leaks.map((line) => [scene.secrets.foundIn(line), line])).toEqual([]);
    expect(scene.toOthers.length).toBeGreaterThan(15);
    expect(scene.toOthers.flatMap((text) => scene.secrets.foundIn(text))).toEqual([]);
    expect(scene.toSender.length).toBeGreaterThan(30);
    expect(scene.toSender.flatMap((text) => scene.credentials.foundIn(text))).toEqual([]);
  });
});

describe("A key that programs sign in with", () => {
  it("stands in no log, whether it is good, wrong, over or used for what it does not allow", async () => {
    const secrets = new Secrets();
    const folder = await temporaryFolder();
    const env = { AUTH: "api-key", LOG_LEVEL: "trace" };
    const parley = await ParleyProcess.start(folder, env);
    const created = await new ChildProgram("dist/cli/parley.js", folder, env, [
      ...["keys", "create", "--name", "phone", "--owner", "ada", "--scope", "usage:read"],
    ]).ended;
    const [key = ""] = created.stdout.split("\n");
    secrets.keep("key", key);
    const send = async (given: string, query: string) =>
      (await sendOperation(parley.url, query, {}, { authorization: `Bearer ${given}` })).errors[0]?.extensions
        .code;
    expect(await send(key, "{ viewer { id } }")).toBe(undefined);
    expect(await send(key, "{ conversations { totalCount } }")).toBe("FORBIDDEN");
    expect(await send(`${key.slice(0, -1)}_`, "{ viewer { id } }")).toBe("UNAUTHENTICATED");
    const sql = await openSql(`file:${join(folder, "data", "parley.db")}`);
    const rows = await sql('SELECT * FROM "ApiKey"');
    expect(rows).toHaveLength(1);
    expect(secrets.foundIn(JSON.stringify(rows))).toEqual([]);
    const listed = await new ChildProgram("dist/cli/parley.js", folder, env, ["keys", "list"]).ended;
    const { stdout, stderr } = await parley.stop();
    expect(secrets.foundIn(listed.stdout + listed.stderr + stdout + stderr)).toEqual([]);
  });
});

describe("The password of the database", () => {
  it.each([
    ["of a server that is not there", (secret: string) => `postgresql://ada:${secret}@127.0.0.1:1/parley`],
    [
      "in an address with a wrong port",
      (secret: string) => `postgresql://ada:${secret}@127.0.0.1:999999/parley`,
    ],
    ["in an address of another kind", (secret: string) => `mysql://ada:${secret}@127.0.0.1/parley`],
    [
      "that was forgotten to be encoded",
      (secret: string) => `postgresql://ada:${secret}/@127.0.0.1:1/parley`,
    ],
  ])("is not printed where the start fails: %s", async (_where, url) => {
    const secrets = new Secrets();
    const folder = await temporaryFolder();
    await mkdir(join(folder, "data"));
    const { code, stdout, stderr } = await spawnParley(folder, {
      DATABASE_URL: url(secrets.mark("password")),
      LOG_LEVEL: "trace",
    }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain("DATABASE_URL");
    expect(secrets.foundIn(stdout + stderr)).toEqual([]);
  });
});
