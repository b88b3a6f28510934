import type { AudioIds } from "../audio-ids.js";
import type { ChatRequest, SpokenOutput } from "../checks/chat-request.js";
import type { Fault } from "../faults/fault.js";
import type { HeardClips } from "../hearing/hearing.js";
import type { Api } from "../routes.js";
import type { Speech } from "../speech/speech.js";
import { promptTokens, type PromptTokens } from "../usage.js";
import { composeWords } from "../words/compose.js";
import { randomBytes } from "node:crypto";

/** Everything that an answer is made from, streamed or whole. */
export interface Answer {
  api: Api;
  /** `chatcmpl-…` */
  id: string;
  createdAtMs: number;
  request: ChatRequest;
  words: string;
  form: AnswerForm;
  prompt: PromptTokens;
  fault: Fault | null;
  audioIdLifetimeMs: number;
  audioIds: AudioIds;
  speech: Speech;
}

export type AnswerForm = SpokenOutput | { kind: "text" } | { kind: "refusal" };

export interface AnswerSource {
  speech: Speech;
  audioIds: AudioIds;
  audioIdLifetimeMs: number;
  now: () => Date;
}

const refusalWords = "I'm sorry, but I can't assist with that request.";

export function createAnswer(
  request: ChatRequest,
  heard: HeardClips,
  api: Api,
  fault: Fault | null,
  source: AnswerSource,
): Answer {
  const { speech, audioIds, audioIdLifetimeMs, now } = source;
  return {
    api,
    id: `chatcmpl-${randomBytes(15).toString("hex").slice(0, 29)}`,
    createdAtMs: now().getTime(),
    request,
    words: fault?.name === "refusal" ? refusalWords : composeWords(request, heard),
    form: formOf(request, fault),
    prompt: promptTokens(request),
    fault,
    audioIdLifetimeMs,
    audioIds,
    speech,
  };
}

function formOf(request: ChatRequest, fault: Fault | null): AnswerForm {
  if (fault?.name === "refusal") return { kind: "refusal" };
  const isMissing = fault?.name === "audio-missing" && fault.variant !== "no-data";
  return isMissing ? { kind: "text" } : request.output;
}

/** The model's name in answers. It says what it is: nobody shall take these answers for a model's. */
export const modelName = "parley-stand-in";
export const systemFingerprint = "fp_stand_in";

export function createdSeconds(answer: Answer): number {
  return Math.floor(answer.createdAtMs / 1000);
}

/** Makes the audio id usable, from now until the answer's `expires_at`, which is returned in seconds. */
export function rememberAudio(answer: Answer, id: string, transcript: string, pcmBytes: number): number {
  const expiresAt = createdSeconds(answer) + Math.ceil(answer.audioIdLifetimeMs / 1000);
  answer.audioIds.remember({
    id,
    deployment: answer.request.deployment,
    transcript,
    durationMs: Math.round(pcmBytes / 48),
    expiresAtMs: answer.createdAtMs + answer.audioIdLifetimeMs,
  });
  return expiresAt;
}
