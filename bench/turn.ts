/**
 * What Parley adds to a turn: the same question through Parley and directly with `openai`, to the same stand-in (its
 * speech replaced by a fixed clip), alternating in one run. Prints p50 and p99 of both, their ratio and the difference.
 *
 *   npm run bench -- [--turns N] [--database postgresql://…]
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { AzureOpenAI } from "openai";
import { wavHeader } from "../src/services/audio/formats/wav-header.js";

const { values } = parseArgs({
  options: { turns: { type: "string", default: "200" }, database: { type: "string" } },
});
const turns = Number(values.turns);
const warmUps = Math.ceil(turns / 10);
const question = "Is a golden retriever a good family dog?";
const apiVersion = "2025-01-01-preview";

interface Program {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a program and waits for the line in which it says where it listens. It gets these settings and no others: one
 * of the caller's, or of a .env file, could send the bench to a database in use.
 */
function start(
  script: string[],
  { env, cwd }: { env: Record<string, string>; cwd?: string },
  ready: RegExp,
): Promise<Program> {
  const child: ChildProcess = spawn(process.execPath, script, {
    env,
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`${script.join(" ")} ended with code ${String(code)}`)));
    if (child.stdout === null) return;
    createInterface(child.stdout).on("line", (line) => {
      const url = ready.exec(line)?.[0];
      if (url !== undefined) resolve({ url, stop });
    });
  });
}

/** One megabyte of sound: 24 kHz mono, a quiet tone. */
function megabyteOfSound(): Buffer {
  const pcm = Buffer.alloc(1024 * 1024 - 44);
  for (let index = 0; index < pcm.byteLength; index += 2)
    pcm.writeInt16LE(Math.round(900 * Math.sin(index / 20)), index);
  const header = wavHeader({
    sampleRate: 24_000,
    channels: 1,
    bitsPerSample: 16,
    dataByteLength: pcm.byteLength,
  });
  return Buffer.concat([header, pcm]);
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const standIn = await start(
    ["bench/clip-stand-in.ts"].flatMap((file) => ["--import", "tsx", file]),
    { env: {} },
    /http:\/\/\S+/,
  );
  const parley = await start(
    [resolve("dist/main.js")],
    {
      cwd: folder,
      env: {
        NODE_ENV: "production",
        AZURE_OPENAI_ENDPOINT: standIn.url,
        AZURE_OPENAI_DEPLOYMENT_NAME: "bench",
        AZURE_OPENAI_API_KEY: "bench",
        DATA_DIR: folder,
        ...(values.database === undefined ? {} : { DATABASE_URL: values.database }),
        PORT: "0",
        LOG_LEVEL: "warn",
      },
    },
    /http:\/\/\S+\/graphql/,
  );
  try {
    await compare(
      "text turn",
      () => directText(standIn.url),
      () => throughParley(parley.url, addText),
    );
    const sound = megabyteOfSound();
    await compare(
      "1 MB audio turn",
      () => directAudio(standIn.url, sound),
      () => throughParley(parley.url, addAudio(sound)),
    );
  } finally {
    await parley.stop();
    await standIn.stop();
    rmSync(folder, { recursive: true });
  }
}

async function compare(
  name: string,
  direct: () => Promise<void>,
  parley: () => Promise<number>,
): Promise<void> {
  const times: Record<"direct" | "parley", number[]> = { direct: [], parley: [] };
  for (let round = -warmUps; round < turns; round += 1) {
    const started = performance.now();
    await direct();
    const directMs = performance.now() - started;
    const parleyMs = await parley();
    if (round < 0) continue;
    times.direct.push(directMs);
    times.parley.push(parleyMs);
    if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${round + 1} of ${turns}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  for (const [label, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const [one, other] = [percentile(times.direct, share), percentile(times.parley, share)];
    process.stdout.write(
      `${name} ${label}: direct ${one.toFixed(1)} ms, Parley ${other.toFixed(1)} ms, ratio ${(other / one).toFixed(2)}, added ${(other - one).toFixed(1)} ms\n`,
    );
  }
}

function percentile(times: number[], share: number): number {
  const sorted = times.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

const clients = new Map<string, AzureOpenAI>();

/** Reads a streamed answer to its end, as Parley does. */
async function direct(
  endpoint: string,
  content: Parameters<AzureOpenAI["chat"]["completions"]["create"]>[0]["messages"],
) {
  const client =
    clients.get(endpoint) ??
    new AzureOpenAI({ endpoint, apiKey: "bench", apiVersion, deployment: "bench", maxRetries: 0 });
  clients.set(endpoint, client);
  const stream = await client.chat.completions.create({
    model: "bench",
    modalities: ["text", "audio"],
    audio: { voice: "alloy", format: "pcm16" },
    stream: true,
    stream_options: { include_usage: true },
    messages: content,
  });
  for await (const chunk of stream) if (chunk.id === "never") throw new Error("unreachable");
}

function directText(endpoint: string): Promise<void> {
  return direct(endpoint, [{ role: "user", content: question }]);
}

function directAudio(endpoint: string, sound: Buffer): Promise<void> {
  const data = sound.toString("base64");
  return direct(endpoint, [
    { role: "user", content: [{ type: "input_audio", input_audio: { data, format: "wav" } }] },
  ]);
}

const selection = "{ turn { id status assistantMessage { transcript audio { url durationMs } } } }";

/** A turn in a fresh conversation, so that both ways send the model the same; starting it is not part of the time. */
async function throughParley(
  url: string,
  add: (url: string, conversationId: string) => Promise<Response>,
): Promise<number> {
  const started = await post(url, { query: "mutation { startConversation { conversation { id } } }" });
  const conversationId = /conv_\w+/.exec(await started.text())?.[0] ?? "";
  const begin = performance.now();
  const answer = await (await add(url, conversationId)).text();
  const tookMs = performance.now() - begin;
  if (!answer.includes("COMPLETED")) throw new Error(`a turn failed: ${answer}`);
  return tookMs;
}

function addText(url: string, conversationId: string): Promise<Response> {
  return post(url, {
    query: `mutation ($input: AddTextTurnInput!) { addTextTurn(input: $input) ${selection} }`,
    variables: { input: { conversationId, text: question } },
  });
}

function addAudio(sound: Buffer) {
  return (url: string, conversationId: string): Promise<Response> => {
    const form = new FormData();
    const query = `mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) ${selection} }`;
    form.set(
      "operations",
      JSON.stringify({ query, variables: { input: { conversationId, audio: { upload: null } } } }),
    );
    form.set("map", JSON.stringify({ 0: ["variables.input.audio.upload"] }));
    form.set("0", new Blob([new Uint8Array(sound)]), "question.wav");
    return fetch(url, { method: "POST", headers: { "apollo-require-preflight": "true" }, body: form });
  };
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

await main();
