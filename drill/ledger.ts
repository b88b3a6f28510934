import type { Hearing } from "./hearing.js";

/** What an answer tells of a turn. */
export interface ToldTurn {
  id: string;
  status: string;
  attempt: number;
  error: { code: string } | null;
  userMessage: { audio: { sha256: string | null } | null };
  assistantMessage: {
    content: string | null;
    audio: { sha256: string | null; byteLength: number } | null;
  } | null;
}

export interface KnownConversation {
  id: string;
  turns: KnownTurn[];
  deleted: boolean;
  /** Whether the answer said that it is done; otherwise it was only gone when the request was sent again. */
  deletionAnswered: boolean;
}

/** A turn that a client was told of, with all that it knows. */
export interface KnownTurn {
  id: string;
  conversation: KnownConversation;
  /** A word of its question that no other has. */
  marker: string;
  /** Of the sound that was sent; null for text. */
  sentSha256: string | null;
  /** How often it was told that it runs again. */
  retries: number;
  /** As it was told last, at an end. */
  lastEnd: ToldTurn | null;
  hearing: Hearing | null;
}

export function isOver({ status }: { status: string }): boolean {
  return ["COMPLETED", "FAILED", "CANCELLED"].includes(status);
}

/** Everything that the clients were told: what must be there at the end. */
export class Ledger {
  readonly conversations: KnownConversation[] = [];
  readonly turns = new Map<string, KnownTurn>();
  /** Requests that were sent again because no answer had come. */
  resent = 0;
  /** Requests that were answered, for the rate. */
  answered = 0;
  /** Turns that a client gave up, for an answer that it should never have had: they may be there or not. */
  readonly givenUp = new Set<string>();

  /** Counts the turns by the end that was told last. */
  tally(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { lastEnd, conversation } of this.turns.values()) {
      const status = lastEnd?.status ?? (conversation.deleted ? "deleted" : "running");
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    return counts;
  }
}
