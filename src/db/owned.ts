import type { DatabaseClient } from "./database.js";
import type { AudioClipRow, ConversationRow, DeletionRow, MessageRow, TurnRow } from "./rows.js";

/**
 * Reads by id for one owner. Every door that is given an id from outside (fields, node, audio URLs) reads through
 * here, so that what is not the owner's is not there. Rows reached from an owned row by a foreign key share its owner.
 */
export interface OwnedRows {
  conversations(ids: readonly string[]): Promise<ConversationRow[]>;
  turns(ids: readonly string[]): Promise<TurnRow[]>;
  messages(ids: readonly string[]): Promise<MessageRow[]>;
  clips(ids: readonly string[]): Promise<AudioClipRow[]>;
  deletions(ids: readonly string[]): Promise<DeletionRow[]>;
}

export function ownedRows(client: DatabaseClient, ownerId: string): OwnedRows {
  const owned = (ids: readonly string[]) => ({ where: { ownerId, id: { in: [...ids] } } });
  return {
    conversations: (ids) => client.conversation.findMany(owned(ids)),
    turns: (ids) => client.turn.findMany(owned(ids)),
    messages: (ids) => client.message.findMany(owned(ids)),
    // The row of sound whose time was over stays, for what it tells.
    clips: (ids) => client.audioClip.findMany({ where: { ...owned(ids).where, removedAt: null } }),
    deletions: (ids) => client.deletion.findMany(owned(ids)),
  };
}
