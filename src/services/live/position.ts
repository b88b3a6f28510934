import { z } from "zod";
import { ParleyError } from "../../errors.js";
import { isActive } from "../turns/status.js";
import type { TurnStatus } from "../turns/status.js";

/** A turn and its answer as far as they have come. */
export interface AnswerState {
  attempt: number;
  status: TurnStatus;
  text: string;
  transcript: string;
  /** PCM without a header; 0 for sound that comes as a file. */
  audioByteLength: number;
}

/** How much of an attempt somebody has heard: lengths in UTF-16 units and bytes. */
export interface Position {
  attempt: number;
  phase: "accepted" | "started" | "ended";
  text: number;
  transcript: number;
  audio: number;
}

/** What is told next, and where the listener is then. */
export type Step = { position: Position } & (
  | { type: "TurnStarted" | "TurnEnded" }
  | { type: "TextDelta" | "TranscriptDelta"; delta: string }
  | { type: "AudioDelta"; byteOffset: number; byteLength: number }
);

/** No event holds more sound, so that one base64 is some 87 kB. */
export const maxPieceByteLength = 64 * 1024;

export function startOf(attempt: number): Position {
  return { attempt, phase: "accepted", text: 0, transcript: 0, audio: 0 };
}

/** Where somebody is who knows all of the state. */
export function endOf(state: AnswerState): Position {
  return {
    attempt: state.attempt,
    phase: state.status === "QUEUED" ? "accepted" : isActive(state.status) ? "started" : "ended",
    text: state.text.length,
    transcript: state.transcript.length,
    audio: state.audioByteLength,
  };
}

/**
 * The next thing to tell somebody at the position; null where they know all there is. Told one by one from the state as
 * it is then: who listens slowly is told more at once and nothing has to be kept for them.
 */
export function nextStep(from: Position, state: AnswerState): Step | null {
  const position = from.attempt < state.attempt ? startOf(state.attempt) : from;
  if (position.phase === "ended") return null;
  if (position.phase === "accepted")
    return state.status === "QUEUED"
      ? null
      : { type: "TurnStarted", position: { ...position, phase: "started" } };
  return nextWords(position, state) ?? nextSound(position, state) ?? nextEnd(position, state);
}

/** Whether somebody at the position has heard the last there is: a retry that waits to be run is still to come. */
export function isOver({ attempt, phase }: Position, state: AnswerState): boolean {
  return phase === "ended" && attempt === state.attempt;
}

function nextWords(position: Position, { text, transcript }: AnswerState): Step | null {
  if (position.transcript < transcript.length) {
    const delta = transcript.slice(position.transcript).toWellFormed();
    return { type: "TranscriptDelta", delta, position: { ...position, transcript: transcript.length } };
  }
  if (position.text >= text.length) return null;
  const delta = text.slice(position.text).toWellFormed();
  return { type: "TextDelta", delta, position: { ...position, text: text.length } };
}

function nextSound(position: Position, { audioByteLength }: AnswerState): Step | null {
  const byteLength = Math.min(audioByteLength - position.audio, maxPieceByteLength);
  if (byteLength <= 0) return null;
  const audio = position.audio + byteLength;
  return { type: "AudioDelta", byteOffset: position.audio, byteLength, position: { ...position, audio } };
}

function nextEnd(position: Position, { status }: AnswerState): Step | null {
  return isActive(status) ? null : { type: "TurnEnded", position: { ...position, phase: "ended" } };
}

const phases = ["accepted", "started", "ended"] as const;
const count = z.int().min(0);
const cursorSchema = z.tuple([z.string(), z.int().min(1), z.int().min(0).max(2), count, count, count]);
const maxCursorLength = 200;

export function encodePosition(turnId: string, position: Position): string {
  const { attempt, phase, text, transcript, audio } = position;
  const parts = [turnId, attempt, phases.indexOf(phase), text, transcript, audio];
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

/** @throws ParleyError BAD_USER_INPUT for anything but a cursor of this turn */
export function decodePosition(turnId: string, cursor: string): Position {
  const parts = cursorSchema.safeParse(parseJson(cursor)).data;
  if (parts === undefined || parts[0] !== turnId) throw notACursor();
  const [, attempt, phase, text, transcript, audio] = parts;
  // Sound is told in whole samples of two bytes.
  return { attempt, phase: phases[phase] ?? "accepted", text, transcript, audio: audio - (audio % 2) };
}

export function notACursor(): ParleyError {
  return new ParleyError(
    "BAD_USER_INPUT",
    "after must be a cursor that came from an event of the same, or an eventCursor.",
  );
}

/** What a cursor holds; undefined where it is none. */
export function parseJson(cursor: string): unknown {
  if (cursor.length > maxCursorLength) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
