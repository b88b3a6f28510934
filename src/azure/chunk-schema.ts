import { z } from "zod";
import { UnreadableAnswer } from "./interruptions.js";

// Words and sound have to be what they should be: a part of them left out in silence would be an answer with holes.
// All else is read where it can be.
const words = z.string().nullish();
// What is kept in a database must fit it: no NUL, 32-bit counts, years that RFC 3339 can write.
const label = z
  .string()
  .max(256)
  .refine((text) => text.isWellFormed() && !text.includes("\0"))
  .nullish()
  .catch(null);
const count = z.number().int().nonnegative().max(0x7fff_ffff).nullish().catch(null);
const latestSecond = Date.UTC(9999, 11, 31) / 1000;

const audioSchema = z.object({
  id: label,
  data: words,
  transcript: words,
  expires_at: z.number().nonnegative().max(latestSecond).nullish().catch(null),
});

const deltaSchema = z.object({ content: words, refusal: words, audio: audioSchema.nullish() });

const choiceSchema = z.object({
  /** Of a stream. Absent in chunks that only annotate. */
  delta: deltaSchema.nullish(),
  /** Of a whole answer. */
  message: deltaSchema.nullish(),
  finish_reason: label,
});

const usageSchema = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  prompt_tokens_details: z
    .object({ cached_tokens: count, audio_tokens: count, text_tokens: count })
    .nullish()
    .catch(null),
  completion_tokens_details: z.object({ audio_tokens: count, text_tokens: count }).nullish().catch(null),
});

const chunkSchema = z.object({
  id: label,
  model: label,
  choices: z.array(choiceSchema).nullish(),
  usage: usageSchema.nullish().catch(null),
  error: z.unknown().optional(),
});

/** One chunk of a stream, or a whole answer: the same fields, `delta` in the one and `message` in the other. */
export type AnswerChunk = z.infer<typeof chunkSchema>;
export type WireUsage = z.infer<typeof usageSchema>;

/** Throws UnreadableAnswer for what is no JSON or no answer. */
export function parseChunk(json: string): AnswerChunk {
  const parsed = chunkSchema.safeParse(parseJson(json));
  if (!parsed.success) throw new UnreadableAnswer("The model's answer has a form that is not known here.");
  return parsed.data;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new UnreadableAnswer("The model's answer is not JSON.");
  }
}
