import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toldStays } from "./client.js";
import { text } from "./database.js";
import type { Row } from "./database.js";
import { grouped, soundFolder } from "./facts.js";
import type { Facts } from "./facts.js";
import type { Findings } from "./findings.js";
import { leftOver } from "./left-over.js";
import type { KnownConversation, KnownTurn, Ledger, ToldTurn } from "./ledger.js";
import { readConversation } from "./operations.js";
import type { ReadConversation, ServedClip } from "./operations.js";
import { ask, download } from "./requests.js";
import type { ServerRun } from "./server-run.js";

const served = "every clip is served with the bytes that its row tells";
const onDisk = "every clip has its file";
const noOrphans = "no file of sound is left that no row refers to";
const sentIsKept = "sound that was sent is kept as it was sent";
const ownWords = "every answer is the answer to its question";

/** Looks at the files, beside the servers. */
export async function checkFiles(facts: Facts, dataDir: string, findings: Findings): Promise<void> {
  for (const clip of facts.clips) await checkFile(clip, dataDir, findings);
  findings.looked(onDisk, `${facts.clips.length} clips: ${tally(facts.clips)}`);
  for (const file of leftOver(facts)) findings.violate(noOrphans, file);
  findings.looked(noOrphans, `${facts.files.size} files`);
}

async function checkFile(clip: Row, dataDir: string, findings: Findings): Promise<void> {
  const key = text(clip, "storageKey") ?? "";
  const bytes = await readFile(join(soundFolder(dataDir), key)).catch(() => null);
  const fault =
    bytes === null
      ? "is not there"
      : (faultOf(bytes, Number(clip["byteLength"]), text(clip, "sha256")) ?? formatFault(bytes, clip));
  if (fault !== null) findings.violate(onDisk, `the file ${key} ${fault}`);
}

function tally(clips: readonly Row[]): string {
  const byFormat = grouped(clips, (clip) => text(clip, "format") ?? "");
  return [...byFormat].map(([format, { length }]) => `${length} ${format}`).join(", ");
}

/** How the files of each format begin, in Latin-1. PCM16 has no beginning. */
const beginnings: Readonly<Record<string, RegExp>> = {
  WAV: /^RIFF/,
  PCM16: /^/,
  MP3: /^(ID3|\xff[\xe0-\xff])/,
  FLAC: /^fLaC/,
  OPUS: /^OggS/,
  AAC: /^\xff[\xf0-\xff]/,
};

function formatFault(bytes: Uint8Array, clip: Row): string | null {
  const format = text(clip, "format") ?? "";
  const begins = Buffer.from(bytes.subarray(0, 4)).toString("latin1");
  return beginnings[format]?.test(begins) === true ? null : `is no ${format}`;
}

/** Null where the bytes are what is told of them. */
function faultOf(bytes: Uint8Array, byteLength: number, sha256: string | null): string | null {
  if (bytes.byteLength !== byteLength) return `has ${bytes.byteLength} bytes, not ${byteLength}`;
  return sha256Of(bytes) === sha256 ? null : "has other bytes";
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads everything back as a client does. */
export async function checkThroughApi(
  servers: readonly ServerRun[],
  ledger: Ledger,
  findings: Findings,
): Promise<void> {
  const waiting = ledger.conversations.filter(({ deleted }) => !deleted);
  const total = { clips: 0, turns: 0, uploads: 0 };
  const readNext = async (worker: number) => {
    const server = servers[worker % servers.length];
    for (let next = waiting.pop(); next !== undefined && server !== undefined; next = waiting.pop()) {
      const counts = await checkConversation(server, next, findings);
      total.clips += counts.clips;
      total.turns += counts.turns;
      total.uploads += counts.uploads;
    }
  };
  await Promise.all(Array.from({ length: 4 }, (_, worker) => readNext(worker)));
  findings.looked(served, `${total.clips} clips`);
  findings.looked(sentIsKept, `${total.uploads} uploads`);
  findings.looked(toldStays, `${total.turns} turns`);
  findings.looked(ownWords, `${total.turns} turns`);
}

async function checkConversation(server: ServerRun, known: KnownConversation, findings: Findings) {
  const operation = { query: readConversation, variables: { id: known.id } };
  const { data, errors } = await ask<ReadConversation>(server, operation);
  const turns = data?.conversation?.turns.nodes ?? [];
  if (turns.length !== known.turns.length)
    findings.violate(toldStays, `${known.id} has ${turns.length} turns: ${JSON.stringify(errors)}`);
  const clips = turns.flatMap((turn) => [turn.userMessage.audio, turn.assistantMessage?.audio ?? null]);
  const there = clips.filter((clip) => clip !== null);
  for (const clip of there) await checkServed(server, clip, findings);
  for (const turn of turns) {
    const match = known.turns.find(({ id }) => id === turn.id);
    if (match !== undefined) checkTold(match, turn, findings);
  }
  const uploads = known.turns.filter(({ sentSha256 }) => sentSha256 !== null).length;
  return { clips: there.length, turns: turns.length, uploads };
}

async function checkServed(server: ServerRun, clip: ServedClip, findings: Findings): Promise<void> {
  try {
    const bytes = await download(server, new URL(clip.url).pathname);
    const fault = faultOf(bytes, clip.byteLength, clip.sha256);
    if (fault !== null) findings.violate(served, `${clip.id} ${fault}`);
  } catch (error) {
    findings.violate(served, `${clip.id}: ${String(error)}`);
  }
}

function checkTold(known: KnownTurn, turn: ToldTurn, findings: Findings): void {
  const { marker, sentSha256, lastEnd } = known;
  if ((turn.userMessage.audio?.sha256 ?? null) !== sentSha256)
    findings.violate(sentIsKept, `${marker} has other sound than was sent`, turn.id);
  const answer = turn.assistantMessage;
  if (turn.status === "COMPLETED" && answer?.content?.includes(marker) !== true)
    findings.violate(ownWords, `${marker} was answered: ${answer?.content ?? "nothing"}`, turn.id);
  if (lastEnd?.attempt !== turn.attempt) return;
  const told = lastEnd.assistantMessage;
  const same = told?.content === answer?.content && told?.audio?.sha256 === answer?.audio?.sha256;
  if (!same) findings.violate(toldStays, `${marker} has another answer than it had`, turn.id);
}
