import type { VoicesConfig } from "../config/config.js";
import { ParleyError } from "../errors.js";

const titleMaxLength = 200;
const instructionsMaxLength = 32_000;
const textMaxLength = 100_000;
const maxWaitMs = 120_000;

/** Trimmed, or null where nothing is left. Lengths are counted in Unicode characters. */
export function checkTitle(title: string | null | undefined): string | null {
  return checkOptional("title", title, titleMaxLength);
}

export function checkInstructions(instructions: string | null | undefined): string | null {
  return checkOptional("instructions", instructions, instructionsMaxLength);
}

/** @throws ParleyError BAD_USER_INPUT for a text that is empty after trimming */
export function checkText(text: string): string {
  const checked = checkOptionalText(text);
  if (checked === null)
    throw new ParleyError("BAD_USER_INPUT", "text must have at least 1 character after trimming.");
  return checked;
}

export function checkOptionalText(text: string | null | undefined): string | null {
  return checkOptional("text", text, textMaxLength);
}

export function checkVoice(voice: string | null | undefined, voices: VoicesConfig): string | null {
  if (voice == null || voices.all.includes(voice)) return voice ?? null;
  throw new ParleyError("BAD_USER_INPUT", `voice must be one of ${voices.all.join(", ")}.`);
}

export function checkIdempotencyKey(key: string | null | undefined): string | null {
  if (key == null || /^[\x20-\x7e]{1,200}$/.test(key)) return key ?? null;
  throw new ParleyError("BAD_USER_INPUT", "idempotencyKey must be 1 to 200 printable ASCII characters.");
}

export function checkWaitMs(waitMs: number): number {
  if (waitMs >= 0 && waitMs <= maxWaitMs) return waitMs;
  throw new ParleyError("BAD_USER_INPUT", `waitMs must be from 0 to ${maxWaitMs}.`);
}

function checkOptional(name: string, value: string | null | undefined, maxLength: number): string | null {
  const trimmed = value?.trim() ?? "";
  if (trimmed === "") return null;
  // UTF-16 units first: counting the characters of a text that is far too long would take long, too.
  if (trimmed.length > 2 * maxLength || countCharacters(trimmed) > maxLength) {
    throw new ParleyError("BAD_USER_INPUT", `${name} must have at most ${maxLength} characters.`);
  }
  if (trimmed.includes("\0") || !trimmed.isWellFormed()) {
    throw new ParleyError("BAD_USER_INPUT", `${name} must be well-formed Unicode without NUL characters.`);
  }
  return trimmed;
}

function countCharacters(text: string): number {
  let count = 0;
  for (const character of text) count += character.length > 0 ? 1 : 0;
  return count;
}
