import { z } from "zod";

const waitMs = z.coerce.number().int().min(0).max(86_400_000);
const flag = z.union([z.boolean(), z.stringbool()]);

/**
 * What can go wrong, by name. `rate-limited`: `retryAfterMs` (default 1,000) is told in `retry-after-ms` and, rounded
 * up, in `retry-after`; `quota` says that this one request is over the quota, `retry after 86400 seconds`.
 * `stall` answers nothing (more) and keeps the connection; `cut` destroys it. `audio-missing`: `text` answers in text
 * although sound was asked for, `no-data` names an audio id and sends neither bytes nor words.
 */
const faultSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("unauthorized"),
    shape: z.enum(["key", "token", "permission"]).optional(),
  }),
  z.strictObject({ name: z.literal("forbidden"), reason: z.enum(["key-disabled", "firewall"]).optional() }),
  z.strictObject({ name: z.literal("not-found") }),
  z.strictObject({ name: z.literal("rejected") }),
  z.strictObject({ name: z.literal("timeout") }),
  z.strictObject({ name: z.literal("too-large") }),
  z.strictObject({
    name: z.literal("rate-limited"),
    retryAfterMs: waitMs.optional(),
    quota: flag.optional(),
  }),
  z.strictObject({ name: z.literal("server-error") }),
  z.strictObject({ name: z.literal("unavailable"), retryAfterMs: waitMs.optional() }),
  z.strictObject({ name: z.literal("content-filter-prompt") }),
  z.strictObject({ name: z.literal("content-filter-answer") }),
  z.strictObject({ name: z.literal("context-length") }),
  z.strictObject({ name: z.literal("refusal") }),
  z.strictObject({
    name: z.literal("stall"),
    at: z.enum(["before-headers", "after-headers", "after-audio"]).optional(),
  }),
  z.strictObject({ name: z.literal("cut"), at: z.enum(["before-headers", "middle"]).optional() }),
  z.strictObject({ name: z.literal("stream-error") }),
  z.strictObject({ name: z.literal("audio-missing"), variant: z.enum(["text", "no-data"]).optional() }),
  z.strictObject({ name: z.literal("audio-id-expired") }),
]);

export type Fault = z.infer<typeof faultSchema>;

export const faultNames: readonly string[] = faultSchema.options.map((option) => option.shape.name.value);

/** The text names no fault, or gives one a setting that it does not have. */
export class FaultSyntaxError extends Error {
  override readonly name = "FaultSyntaxError";
}

/** Reads `name` or `name;key=value;key=value`. Throws FaultSyntaxError. */
export function parseFault(text: string): Fault {
  const [name = "", ...settings] = text.split(";").map((part) => part.trim());
  if (!faultNames.includes(name)) {
    throw new FaultSyntaxError(`There is no fault "${name.slice(0, 60)}". Faults: ${faultNames.join(", ")}.`);
  }
  const parsed = faultSchema.safeParse({ name, ...Object.fromEntries(settings.map(keyAndValue)) });
  if (parsed.success) return parsed.data;
  throw new FaultSyntaxError(`The fault "${name}" cannot be read: ${z.prettifyError(parsed.error)}`);
}

function keyAndValue(setting: string): [string, string] {
  const [key = "", value = ""] = setting.split("=", 2);
  return [key.trim(), value.trim()];
}
