import { operations } from "./operations.js";

type Seeds = Record<string, string>;

/** A request whose Content-Length is counted when it is sent. */
function request(first: string, headers: readonly string[], body: string | null = null): string {
  const length = body === null ? [] : ["content-length: {LENGTH}"];
  const lines = [`${first} HTTP/1.1`, "host: {HOST}", ...headers, ...length];
  return `${lines.join("\r\n")}\r\n\r\n${body ?? ""}`;
}

const json = "content-type: application/json";

function operation(query: string, variables: object = {}, headers: readonly string[] = []): string {
  return request("POST /graphql", [json, ...headers], JSON.stringify({ query, variables }));
}

function got(path: string, ...headers: string[]): string {
  return request(`GET ${path}`, headers);
}

function chunked(body: string): string {
  const cut = Math.floor(body.length / 2);
  const pieces = [body.slice(0, cut), body.slice(cut), ""];
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  return request("POST /graphql", [json, "transfer-encoding: chunked"]) + chunks.join("");
}

const accept = "accept: multipart/mixed;subscriptionSpec=1.0";
const typename = encodeURIComponent("{ __typename }");

export function httpSeeds(): Seeds {
  const named = Object.entries(operations).map(([name, { query, variables }]) => [
    `graphql-${name}`,
    operation(query, variables, query.startsWith("subscription") ? [accept] : []),
  ]);
  return {
    ...(Object.fromEntries(named) as Seeds),
    "graphql-get": got(`/graphql?query=${typename}`, "apollo-require-preflight: 1"),
    "graphql-get-variables": got(`/graphql?query=${typename}&variables=%7B%22a%22%3A1%7D`, json),
    "graphql-chunked": chunked(JSON.stringify({ query: "{ viewer { id } }" })),
    "graphql-persisted": request(
      "POST /graphql",
      [json],
      JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: "ab".repeat(32) } } }),
    ),
    "graphql-batch": request("POST /graphql", [json], JSON.stringify([{ query: "{ __typename }" }])),
    "graphql-pipelined": operation("{ __typename }") + got("/healthz"),
    "graphql-page": got("/graphql", "accept: text/html"),
    "graphql-h2c": got(
      "/healthz",
      "connection: Upgrade, HTTP2-Settings",
      "upgrade: h2c",
      "http2-settings: AAMAAABkAAQAAP__",
    ),
    "graphql-expect": request("POST /graphql", [json, "expect: 100-continue"], '{"query":"{ __typename }"}'),
    "audio-get": got("/audio/{CLIP}.wav"),
    "audio-head": request("HEAD /audio/{CLIP}.wav", []),
    "audio-download": got("/audio/{CLIP}?download=name.wav"),
    "audio-range": got("/audio/{CLIP}.wav", "range: bytes=0-99", 'if-range: "{ETAG}"'),
    "audio-conditional": got("/audio/{CLIP}.wav", 'if-none-match: "{ETAG}"', "if-modified-since: {DATE}"),
    "audio-delete": request("DELETE /audio/{CLIP}.wav", []),
    "audio-signed": got("/audio/{CLIP}.wav?viewer=v&expires=4102444800&key=k&signature=c2ln"),
    "upload-put": request("PUT {UPLOAD_PATH}", [], "x".repeat(1_000)),
    "upload-short": request("PUT {UPLOAD_PATH}", ["content-type: audio/wav"], "RIFF"),
    "upload-preflight": request("OPTIONS /uploads/{UPLOAD}", [
      "origin: https://studio.apollographql.com",
      "access-control-request-method: PUT",
    ]),
    healthz: got("/healthz"),
    readyz: got("/readyz"),
    page: got("/", "accept: text/html", "accept-encoding: gzip"),
    "page-old": "GET / HTTP/1.0\r\nhost: {HOST}\r\n\r\n",
    explorer: got("/graphiql"),
    export: got("/export"),
    nothing: got("/favicon.ico"),
    "socket-handshake": got(
      "/graphql",
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol: graphql-transport-ws",
    ),
  };
}

interface Part {
  disposition: string;
  content: string;
}

function multipart(parts: readonly Part[]): string {
  const body = parts.map(
    ({ disposition, content }) =>
      `--parley\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`,
  );
  const headers = ["content-type: multipart/form-data; boundary=parley", "apollo-require-preflight: true"];
  return request("POST /graphql", headers, `${body.join("")}--parley--\r\n`);
}

/** A WAV file of 50 ms. */
function shortWav(): string {
  const pcm = Buffer.alloc(800);
  const head = Buffer.from(
    "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0",
    "latin1",
  );
  head.writeUInt32LE(36 + pcm.byteLength, 4);
  head.writeUInt32LE(pcm.byteLength, 40);
  return Buffer.concat([head, pcm]).toString("latin1");
}

export function multipartSeeds(): Record<string, Uint8Array> {
  const query =
    "mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) { turn { id status error { code } } } }";
  const input = {
    conversationId: "{CONVERSATION}",
    audio: { upload: null },
    waitMs: 0,
    reply: { modalities: ["TEXT"] },
  };
  const asked = (name: string, value: unknown): Part => ({
    disposition: `name="${name}"`,
    content: JSON.stringify(value),
  });
  const one = [
    asked("operations", { query, variables: { input } }),
    asked("map", { 0: ["variables.input.audio.upload"] }),
  ];
  const file = (disposition: string, content = shortWav()): Part => ({
    disposition: `name="0"; ${disposition}`,
    content,
  });
  const typed = 'filename="a.wav"\r\ncontent-type: audio/wav\r\ncontent-transfer-encoding: binary';
  const seeds: Seeds = {
    upload: multipart([...one, file('filename="question.wav"')]),
    "upload-typed": multipart([...one, file(typed)]),
    "upload-empty": multipart([...one, file('filename="a.wav"', "")]),
    "upload-star": multipart([...one, file("filename*=utf-8''%e2%82%ac.wav")]),
    "upload-mp3": multipart([...one, file('filename="a.mp3"', "\xff\xfb\x90\x00".repeat(100))]),
    "upload-webm": multipart([...one, file('filename="a.webm"', "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01")]),
    "file-first": multipart([file('filename="a.wav"'), ...one]),
    "file-missing": multipart(one),
    "map-missing": multipart(one.slice(0, 1)),
    "map-of-two": multipart([
      asked("operations", { query: "query ($a: Upload) { __typename }", variables: { a: null, b: [null] } }),
      asked("map", { 0: ["variables.a"], 1: ["variables.b.0"] }),
      file('filename="a"', "x"),
      { disposition: 'name="1"; filename="b"', content: "y" },
    ]),
    "no-file": multipart([asked("operations", { query: "{ __typename }" }), asked("map", {})]),
    "field-unknown": multipart([...one, asked("extra", 1), file('filename="a.wav"')]),
  };
  return Object.fromEntries(Object.entries(seeds).map(([name, text]) => [name, Buffer.from(text, "latin1")]));
}

export function rangeSeeds(): Seeds {
  return {
    none: "",
    first: "range: bytes=0-99",
    middle: "range: bytes=100-199\r\n",
    open: "range: bytes=1000-",
    last: "range: bytes=-500",
    "last-none": "range: bytes=-0",
    beyond: "range: bytes=99999999-",
    huge: "range: bytes=0-18446744073709551616",
    backwards: "range: bytes=9-3",
    several: "range: bytes=0-1,4-5",
    unit: "range: items=0-1",
    "if-range": 'range: bytes=0-9\r\nif-range: "{ETAG}"',
    "if-range-other": 'range: bytes=0-9\r\nif-range: "other"',
    "if-range-date": "range: bytes=0-9\r\nif-range: {DATE}",
    unchanged: 'if-none-match: "{ETAG}"',
    "unchanged-any": "if-none-match: *\r\nrange: bytes=0-9",
    "unchanged-list": 'if-none-match: "a", W/"{ETAG}"',
    since: "if-modified-since: {DATE}\r\nrange: bytes=5-",
  };
}
