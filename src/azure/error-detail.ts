import { z } from "zod";

const label = z.string().nullish().catch(null);
const filters = z.record(z.string(), z.unknown()).nullish().catch(null);
const innerSchema = z
  .object({ code: label, content_filter_result: filters, content_filter_results: filters })
  .nullish()
  .catch(null);
// Azure spells the inner error in two ways.
const detailSchema = z
  .object({ code: label, type: label, message: label, innererror: innerSchema, inner_error: innerSchema })
  .catch({});
const flagged = z.object({ filtered: z.literal(true) });

/** The provider's error object, as far as it can be read. */
export type ErrorDetail = z.infer<typeof detailSchema>;

/** An error is an object, or behind some gateways a bare sentence. Anything else is an empty one. */
export function parseErrorDetail(detail: unknown): ErrorDetail {
  return typeof detail === "string" ? { message: detail } : detailSchema.parse(detail);
}

export function isPromptFiltered(detail: ErrorDetail): boolean {
  return detail.code === "content_filter" || innerOf(detail)?.code === "ResponsibleAIPolicyViolation";
}

/** What the filter found: `hate`, `violence` and the like. */
export function filteredCategories(detail: ErrorDetail): string[] {
  const inner = innerOf(detail);
  const results = inner?.content_filter_result ?? inner?.content_filter_results ?? {};
  return Object.keys(results).filter(
    (name) => /^[a-z_]{1,40}$/.test(name) && flagged.safeParse(results[name]).success,
  );
}

/** The wait that the message names in seconds, in milliseconds; null where it names none. */
export function retryAfterInWords(detail: ErrorDetail): number | null {
  const seconds = /(?:retry after|try again in) (\d{1,9}) ?(?:s|sec|seconds?)\b/i.exec(
    detail.message ?? "",
  )?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}

/** A stranger's words as they may stand in a message: one line of at most 300 characters. */
export function quote(words: string): string {
  return words
    .replace(/\p{C}+/gu, " ")
    .trim()
    .slice(0, 300)
    .toWellFormed();
}

/** A gateway that repeats the request may repeat the server's own key or token, which is nobody's to read. */
export function withoutCredentials(words: string): string {
  return words
    .replace(/\beyJ[\w-]{10,}(?:\.[\w-]*)*/g, "…")
    .replace(/[A-Za-z0-9]{20,}/g, (run) => (/\d/.test(run) && /[A-Za-z]/.test(run) ? "…" : run));
}

function innerOf(detail: ErrorDetail): ErrorDetail["innererror"] {
  return detail.innererror ?? detail.inner_error;
}
