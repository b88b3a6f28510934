import type { SpokenOutput } from "../checks/chat-request.js";
import { splitIntoWords } from "../speech/pieces.js";
import { rememberAudio, type Answer } from "./answer.js";
import { fitText, nothingSpoken, type Fitted } from "./budget.js";
import { createChunks, type Chunk, type Chunks } from "./chunks.js";
import { spokenPieces } from "./spoken-pieces.js";

/** A chunk, and what it brings: faults and pauses act after the first sound, or the first words of a text answer. */
export interface Step {
  chunk: Chunk;
  brings: "frame" | "words" | "sound";
}

/** At most this much PCM in a chunk: 0.4 s. */
export const maxChunkBytes = 19_200;

/** The chunks of a streamed answer, in the order of the wire. */
export async function* streamSteps(answer: Answer): AsyncGenerator<Step> {
  const chunks = createChunks(answer);
  if (answer.api === "dated") yield frame(chunks.promptFilter());
  if (answer.form.kind !== "audio") yield* writtenSteps(answer, chunks, answer.form.kind);
  else if (answer.fault?.name === "audio-missing") yield* soundlessSteps(answer, chunks);
  else yield* spokenSteps(answer, chunks, answer.form);
}

function frame(chunk: Chunk): Step {
  return { chunk, brings: "frame" };
}

function* writtenSteps(answer: Answer, chunks: Chunks, kind: "text" | "refusal"): Generator<Step> {
  const { text, tokens, isCut } = fitText(answer.words, answer.request.maxTokens);
  const field = kind === "text" ? "content" : "refusal";
  const first = kind === "text" ? { content: "", refusal: null } : { content: null, refusal: "" };
  yield frame(chunks.delta({ role: "assistant", ...first }, null));
  for (const word of splitIntoWords(text)) {
    yield { chunk: chunks.delta({ [field]: word }, null), brings: "words" };
  }
  if (answer.api === "dated") yield frame(chunks.answerFilter());
  yield frame(chunks.delta({}, isCut ? "length" : "stop"));
  if (answer.request.includeUsage) yield frame(chunks.usage({ text: tokens, audio: 0 }));
}

/** An audio id, and nothing behind it. */
function* soundlessSteps(answer: Answer, chunks: Chunks): Generator<Step> {
  const id = answer.audioIds.create();
  yield frame(chunks.delta({ role: "assistant", refusal: null }, null));
  yield frame(chunks.delta({ content: null, audio: { id } }, null));
  yield frame(chunks.bare());
  if (answer.request.includeUsage) yield frame(chunks.usage(nothingSpoken.tokens));
  yield frame(chunks.delta({ audio: { expires_at: rememberAudio(answer, id, "", 0) } }));
}

async function* spokenSteps(answer: Answer, chunks: Chunks, output: SpokenOutput): AsyncGenerator<Step> {
  const id = answer.audioIds.create();
  yield frame(chunks.delta({ role: "assistant", refusal: null }, null));
  let transcript = "";
  let spoken = nothingSpoken;
  let isFirst = true;
  for await (const fitted of spokenPieces(answer, output)) {
    yield* pieceSteps(fitted, chunks, isFirst ? id : null);
    isFirst = false;
    transcript += fitted.piece.words;
    spoken = fitted.spoken;
  }
  if (answer.request.includeUsage) yield frame(chunks.usage(spoken.tokens));
  const expiresAt = rememberAudio(answer, id, transcript, spoken.pcmBytes);
  yield frame(chunks.delta({ audio: { expires_at: expiresAt } }));
}

/** The id comes with the first words, and again with the first sound. */
function* pieceSteps({ piece }: Fitted, chunks: Chunks, firstId: string | null): Generator<Step> {
  const [firstWord = "", ...moreWords] = splitIntoWords(piece.words);
  const id = firstId === null ? {} : { id: firstId };
  const content = firstId === null ? {} : { content: null };
  yield {
    chunk: chunks.delta({ ...content, audio: { ...id, transcript: firstWord } }, null),
    brings: "words",
  };
  yield frame(chunks.bare());
  for (const word of moreWords) {
    yield { chunk: chunks.delta({ audio: { transcript: word } }, null), brings: "words" };
    yield frame(chunks.bare());
  }
  const role = firstId === null ? {} : { role: "assistant", content: null, refusal: null };
  for (let offset = 0; offset < piece.pcm.byteLength; offset += maxChunkBytes) {
    const bytes = piece.pcm.subarray(offset, offset + maxChunkBytes);
    const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
    const audio = offset === 0 ? { ...id, data } : { data };
    yield { chunk: chunks.delta(offset === 0 ? { ...role, audio } : { audio }, null), brings: "sound" };
    yield frame(chunks.bare());
  }
}
