import type { VoicesConfig } from "../../config/config.js";
import type { TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { toAudioFormat } from "../audio/clip-format.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { checkVoice } from "../input.js";

/** How a reply should come, as the caller said it. */
export interface ReplyRequest {
  modalities: readonly ("TEXT" | "AUDIO")[];
  voice?: string | null | undefined;
  format: AudioFormat;
  maxTokens?: number | null | undefined;
  temperature?: number | null | undefined;
}

/** A checked request; a voice that is null stands for the conversation's. */
export interface ReplyWish {
  sound: boolean;
  voice: string | null;
  format: AudioFormat;
  maxTokens: number | null;
  temperature: number | null;
}

/** How a turn's reply was asked for, with defaults filled in. */
export interface ReplySettings extends ReplyWish {
  voice: string;
}

const textOnly = "TEXT";
const textAndSound = "TEXT_AND_AUDIO";

/** @throws ParleyError BAD_USER_INPUT */
export function checkReply(request: ReplyRequest, voices: VoicesConfig): ReplyWish {
  const { modalities, maxTokens = null, temperature = null } = request;
  if (modalities.length === 0) {
    throw new ParleyError("BAD_USER_INPUT", "reply.modalities must name TEXT, AUDIO or both.");
  }
  if (maxTokens !== null && maxTokens < 1) {
    throw new ParleyError("BAD_USER_INPUT", "reply.maxTokens must be 1 or more.");
  }
  if (temperature !== null && !(temperature >= 0 && temperature <= 2)) {
    throw new ParleyError("BAD_USER_INPUT", "reply.temperature must be from 0 to 2.");
  }
  const voice = checkVoice(request.voice, voices);
  return { sound: modalities.includes("AUDIO"), voice, format: request.format, maxTokens, temperature };
}

/** How long an answer may be, in tokens: as was asked, and no longer than the server's own limit; null: no limit of either. */
export function boundedTokens(asked: number | null, limit: number | null): number | null {
  if (asked === null || limit === null) return asked ?? limit;
  return Math.min(asked, limit);
}

export function replyColumns(reply: ReplySettings) {
  return {
    replyModalities: reply.sound ? textAndSound : textOnly,
    replyVoice: reply.voice,
    replyFormat: reply.format,
    replyMaxTokens: reply.maxTokens,
    replyTemperature: reply.temperature,
  };
}

export function replyOf(turn: TurnRow): ReplySettings {
  return {
    sound: turn.replyModalities === textAndSound,
    voice: turn.replyVoice,
    format: toAudioFormat(turn.replyFormat),
    maxTokens: turn.replyMaxTokens,
    temperature: turn.replyTemperature,
  };
}
