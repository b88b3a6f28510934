/**
 * What Parley adds to a turn: the same question through Parley and directly with `openai`, to the same stand-in (its
 * speech replaced by a fixed clip), alternating in one run. Prints p50 and p99 of both, their ratio and the difference.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readNumber } from "../src/cli/read-number.js";
import { runTool } from "../src/cli/run-tool.js";
import { wavHeader } from "../src/services/audio/formats/wav-header.js";
import { DirectModel, question } from "./direct.js";
import type { Messages } from "./direct.js";
import { addTextTurn, startConversation, turnSelection } from "./operations.js";
import { startParley, startStandIn } from "./programs.js";
import { ms, spread, tellProgress } from "./samples.js";

const usage = `Measures what Parley adds to a turn, by text and by 1 MB of audio, against the same call without it.

  npm run bench -- [options]

  --turns N         how many of each; default 200
  --database URL    a fresh postgresql:// database; default: SQLite
  --help            this text
`;

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

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { turns: { type: "string" }, database: { type: "string" } },
  });
  const turns = readNumber("--turns", values.turns, { fallback: 200, min: 1, max: 1_000_000 });
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const standIn = await startStandIn();
  const database = values.database === undefined ? {} : { DATABASE_URL: values.database };
  const parley = await startParley({ folder, endpoint: standIn.url, env: database });
  const model = new DirectModel(standIn.url);
  try {
    await compare(
      { name: "text turn", turns },
      () => model.ask([{ role: "user", content: question }]),
      () => throughParley(parley.url, addText),
    );
    const sound = megabyteOfSound();
    await compare(
      { name: "1 MB audio turn", turns },
      () => model.ask(spoken(sound)),
      () => throughParley(parley.url, addAudio(sound)),
    );
  } finally {
    await parley.stop();
    await standIn.stop();
    rmSync(folder, { recursive: true });
  }
  return 0;
}

async function compare(
  { name, turns }: { name: string; turns: number },
  direct: () => Promise<unknown>,
  parley: () => Promise<number>,
): Promise<void> {
  const times: Record<"direct" | "parley", number[]> = { direct: [], parley: [] };
  const warmUps = Math.ceil(turns / 10);
  for (let round = -warmUps; round < turns; round += 1) {
    const started = performance.now();
    await direct();
    const directMs = performance.now() - started;
    const parleyMs = await parley();
    if (round < 0) continue;
    times.direct.push(directMs);
    times.parley.push(parleyMs);
    tellProgress(name, round + 1, turns);
  }
  const [one, other] = [spread(times.direct), spread(times.parley)];
  for (const share of ["p50", "p99"] as const) {
    const [directMs, parleyMs] = [one[share], other[share]];
    process.stdout.write(
      `${name} ${share}: direct ${ms(directMs)}, Parley ${ms(parleyMs)}, ratio ${(parleyMs / directMs).toFixed(2)}, added ${ms(parleyMs - directMs)}\n`,
    );
  }
}

function spoken(sound: Buffer): Messages {
  const data = sound.toString("base64");
  return [{ role: "user", content: [{ type: "input_audio", input_audio: { data, format: "wav" } }] }];
}

type Add = (url: string, conversationId: string) => Promise<unknown>;

/** A turn in a fresh conversation, so that both ways send the model the same; starting it is not part of the time. */
async function throughParley(url: string, add: Add): Promise<number> {
  const conversationId = await startConversation(url);
  const begin = performance.now();
  await add(url, conversationId);
  return performance.now() - begin;
}

function addText(url: string, conversationId: string): Promise<unknown> {
  return addTextTurn(url, { conversationId, text: question });
}

function addAudio(sound: Buffer): Add {
  return async (url, conversationId) => {
    const form = new FormData();
    const query = `mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) ${turnSelection} }`;
    form.set(
      "operations",
      JSON.stringify({ query, variables: { input: { conversationId, audio: { upload: null } } } }),
    );
    form.set("map", JSON.stringify({ 0: ["variables.input.audio.upload"] }));
    form.set("0", new Blob([new Uint8Array(sound)]), "question.wav");
    const headers = { "apollo-require-preflight": "true" };
    const answer = await (await fetch(url, { method: "POST", headers, body: form })).text();
    if (!answer.includes("COMPLETED")) throw new Error(`a turn failed: ${answer}`);
  };
}

await runTool(usage, main);
