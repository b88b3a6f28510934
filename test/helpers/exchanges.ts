import { setTimeout as delay } from "node:timers/promises";
import { stat } from "node:fs/promises";
import type { StandIn } from "../../src/stand-in/stand-in.js";
import { turnById } from "./operations.js";
import type { Turn } from "./operations.js";
import type { TestParley } from "./parley.js";
import { unlessGone } from "./files.js";
import { keptSoundFiles } from "./sound.js";

export interface SentPart {
  type: string;
  text?: string;
  input_audio?: { data: { byteLength: number; sha256: string }; format: string };
}

export interface SentMessage {
  role: string;
  content?: string | SentPart[];
  audio?: { id: string };
}

/** A request as the model received it, as far as tests look at it. */
export interface SentRequest {
  messages: SentMessage[];
  modalities?: string[];
  audio?: { voice: string; format: string };
  stream?: boolean;
  max_completion_tokens?: number;
  temperature?: number;
}

/** The bodies of all requests that came to the model so far, oldest first. */
export function sentRequests(standIn: StandIn): SentRequest[] {
  return standIn.requests.map(({ body }) => body as SentRequest);
}

/** The messages of the last request, each in short: `user: words`, `user: <sound>`, `assistant: <audio id>`. */
export function lastMessages(standIn: StandIn): string[] {
  return (sentRequests(standIn).at(-1)?.messages ?? []).map(inShort);
}

export function inShort({ role, content, audio }: SentMessage): string {
  if (audio !== undefined) return `${role}: <${audio.id}>`;
  if (typeof content === "string") return `${role}: ${content}`;
  return `${role}: ${(content ?? []).map((part) => part.text ?? "<sound>").join(" + ")}`;
}

/** The turn once it has ended, looked for again and again. */
export async function endOfTurn(parley: TestParley, id: string): Promise<Turn> {
  for (;;) {
    const turn = await turnById(parley, id);
    if (turn === null) throw new Error(`There is no turn ${id}.`);
    if (turn.status !== "QUEUED" && turn.status !== "RUNNING") return turn;
    await delay(10);
  }
}

/** Resolves once the server has written this much of a growing answer. */
export async function answerHasGrownTo(parley: TestParley, byteLength: number): Promise<void> {
  for (;;) {
    const sizes = await Promise.all(
      (await keptSoundFiles(parley)).map(async (file) => (await unlessGone(stat(file)))?.size ?? 0),
    );
    if (sizes.some((size) => size >= byteLength)) return;
    await delay(10);
  }
}
