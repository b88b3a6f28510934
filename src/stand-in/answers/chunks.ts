import { randomBytes } from "node:crypto";
import { usageBody, type CompletionTokens } from "../usage.js";
import { createdSeconds, modelName, systemFingerprint, type Answer } from "./answer.js";
import { filterResults, promptFilterResults } from "./content-filter.js";

export type Chunk = Record<string, unknown>;

/** The chunks of one streamed answer, shaped key by key as the provider shapes them. */
export interface Chunks {
  /** A chunk with one choice. `finishReason` undefined leaves the key out, as the last chunk of spoken answers does. */
  delta(delta: Record<string, unknown>, finishReason?: string | null): Chunk;
  /** A chunk without `choices`, as spoken streams are full of. */
  bare(): Chunk;
  usage(completion: CompletionTokens): Chunk;
  /** Azure's first chunk on the dated API: the filter's view of the prompt. */
  promptFilter(): Chunk;
  /** Azure's view of the answer, in a choice without `delta`. */
  answerFilter(): Chunk;
  /** The end of an answer that the content filter stopped. */
  filtered(): Chunk;
}

export function createChunks(answer: Answer): Chunks {
  const { includeUsage, includeObfuscation } = answer.request;
  const head = {
    id: answer.id,
    object: "chat.completion.chunk",
    created: createdSeconds(answer),
    model: modelName,
    service_tier: "default",
    system_fingerprint: systemFingerprint,
  };
  const tail = () => ({
    ...(includeUsage ? { usage: null } : {}),
    ...(includeObfuscation ? { obfuscation: obfuscation() } : {}),
  });
  const chunk = (choice: Record<string, unknown>) => ({
    ...head,
    choices: [{ index: 0, ...choice }],
    ...tail(),
  });
  return {
    delta: (delta, finishReason) =>
      chunk(finishReason === undefined ? { delta } : { delta, finish_reason: finishReason }),
    bare: () => ({ ...head, ...tail() }),
    usage: (completion) => ({
      ...head,
      choices: [],
      usage: usageBody(answer.prompt, completion),
      ...(includeObfuscation ? { obfuscation: "" } : {}),
    }),
    promptFilter: () => ({
      choices: [],
      created: 0,
      id: "",
      model: "",
      object: "",
      prompt_filter_results: promptFilterResults(),
    }),
    answerFilter: () =>
      chunk({
        content_filter_offsets: { check_offset: 0, start_offset: 0, end_offset: answer.words.length },
        content_filter_results: filterResults(null),
        finish_reason: null,
      }),
    filtered: () =>
      chunk({
        delta: {},
        finish_reason: "content_filter",
        content_filter_results: filterResults("violence"),
      }),
  };
}

/** Random padding: it keeps an eavesdropper from reading words off the lengths of chunks. */
function obfuscation(): string {
  const noise = randomBytes(16);
  return noise.toString("base64url").slice(0, 3 + ((noise[0] ?? 0) % 14));
}
