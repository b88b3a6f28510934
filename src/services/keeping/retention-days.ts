import { maxRetentionDays } from "../../config/parse-retention.js";
import type { RetentionConfig } from "../../config/config.js";
import type { ConversationRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";

export type RetentionDays = RetentionConfig;

/** What a client asks for; null or absent: as long as the server keeps it. */
export interface RetentionWish {
  audioDays?: number | null | undefined;
  textDays?: number | null | undefined;
}

export type RetentionColumns = Pick<ConversationRow, "audioRetentionDays" | "textRetentionDays">;

/** What holds for a conversation: the shorter of the server's days and its own. */
export function daysInForce(server: RetentionDays, own: RetentionColumns): RetentionDays {
  return {
    audioDays: shorter(server.audioDays, own.audioRetentionDays),
    textDays: shorter(server.textDays, own.textRetentionDays),
  };
}

function shorter(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}

/** @throws ParleyError BAD_USER_INPUT for days out of range */
export function retentionColumns(wish: RetentionWish | null | undefined): RetentionColumns {
  return {
    audioRetentionDays: checkDays("audioDays", wish?.audioDays),
    textRetentionDays: checkDays("textDays", wish?.textDays),
  };
}

function checkDays(name: string, days: number | null | undefined): number | null {
  if (days == null || (days >= 1 && days <= maxRetentionDays)) return days ?? null;
  throw new ParleyError("BAD_USER_INPUT", `retention.${name} must be from 1 to ${maxRetentionDays}.`);
}
