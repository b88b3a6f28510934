import type { AudioFormat, SpokenOutput } from "../checks/chat-request.js";
import type { Speech } from "../speech/speech.js";
import { wavFile } from "../speech/wav.js";
import { usageBody, type CompletionTokens } from "../usage.js";
import { createdSeconds, modelName, rememberAudio, systemFingerprint, type Answer } from "./answer.js";
import { fitText, nothingSpoken } from "./budget.js";
import { filterResults, promptFilterResults } from "./content-filter.js";
import { spokenPieces } from "./spoken-pieces.js";

interface WholeMessage {
  message: Record<string, unknown>;
  finishReason: "stop" | "length" | "content_filter";
  tokens: CompletionTokens;
}

/** The body of an answer that is not streamed. */
export async function wholeAnswer(answer: Answer): Promise<Record<string, unknown>> {
  const { message, finishReason, tokens } = await makeMessage(answer);
  const isFiltered = finishReason === "content_filter";
  const choiceFilter =
    answer.api === "dated" || isFiltered
      ? { content_filter_results: filterResults(isFiltered ? "violence" : null) }
      : {};
  return {
    id: answer.id,
    object: "chat.completion",
    created: createdSeconds(answer),
    model: modelName,
    ...(answer.api === "dated" ? { prompt_filter_results: promptFilterResults() } : {}),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason, ...choiceFilter }],
    usage: usageBody(answer.prompt, tokens),
    service_tier: "default",
    system_fingerprint: systemFingerprint,
  };
}

function makeMessage(answer: Answer): Promise<WholeMessage> | WholeMessage {
  if (answer.fault?.name === "content-filter-answer") {
    const message = { role: "assistant", content: null, refusal: null, annotations: [] };
    return { message, finishReason: "content_filter", tokens: nothingSpoken.tokens };
  }
  if (answer.form.kind !== "audio") return writtenMessage(answer, answer.form.kind);
  return answer.fault?.name === "audio-missing"
    ? soundlessMessage(answer)
    : spokenMessage(answer, answer.form);
}

function writtenMessage(answer: Answer, kind: "text" | "refusal"): WholeMessage {
  const { text, tokens, isCut } = fitText(answer.words, answer.request.maxTokens);
  const words = kind === "text" ? { content: text, refusal: null } : { content: null, refusal: text };
  return {
    message: { role: "assistant", ...words, annotations: [] },
    finishReason: isCut ? "length" : "stop",
    tokens: { text: tokens, audio: 0 },
  };
}

function soundlessMessage(answer: Answer): WholeMessage {
  const id = answer.audioIds.create();
  const audio = { id, data: "", expires_at: rememberAudio(answer, id, "", 0), transcript: "" };
  return {
    message: { role: "assistant", content: null, refusal: null, annotations: [], audio },
    finishReason: "stop",
    tokens: nothingSpoken.tokens,
  };
}

async function spokenMessage(answer: Answer, output: SpokenOutput): Promise<WholeMessage> {
  const sounds: Uint8Array[] = [];
  let transcript = "";
  let spoken = nothingSpoken;
  let isCut = false;
  for await (const fitted of spokenPieces(answer, output)) {
    sounds.push(fitted.piece.pcm);
    transcript += fitted.piece.words;
    ({ spoken, isCut } = fitted);
  }
  const file = await makeFile(Buffer.concat(sounds), output.format, answer.speech);
  const id = answer.audioIds.create();
  const expiresAt = rememberAudio(answer, id, transcript, spoken.pcmBytes);
  const audio = { id, data: Buffer.from(file).toString("base64"), expires_at: expiresAt, transcript };
  return {
    message: { role: "assistant", content: null, refusal: null, annotations: [], audio },
    finishReason: isCut ? "length" : "stop",
    tokens: spoken.tokens,
  };
}

async function makeFile(pcm: Uint8Array, format: AudioFormat, speech: Speech): Promise<Uint8Array> {
  if (format === "pcm16") return pcm;
  return format === "wav" ? wavFile(pcm) : speech.encode(pcm, format);
}
