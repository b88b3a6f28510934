import type { Viewer } from "../../auth/viewer.js";
import type { VoicesConfig } from "../../config/config.js";
import { isUniqueViolation } from "../../db/database.js";
import type { DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow } from "../../db/rows.js";
import { isId, newId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { removeAudio } from "../audio/remove-audio.js";
import { countEvent, recordEvent } from "../live/conversation-log.js";
import type { WakeUps } from "../live/wake-ups.js";
import { conversationNotFound } from "../not-found.js";
import { checkIdempotencyKey, checkInstructions, checkTitle, checkVoice } from "../input.js";
import { findUse, hashRequest, rememberUse, viewerScope } from "../turns/idempotency.js";
import type { KeyedRequest } from "../turns/idempotency.js";
import type { TurnService } from "../turns/turn-service.js";
import { titleKey } from "./title.js";

export interface StartConversation {
  title?: string | null | undefined;
  instructions?: string | null | undefined;
  voice?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** Absent stays, null clears. */
export interface UpdateConversation {
  title?: string | null | undefined;
  instructions?: string | null | undefined;
  voice?: string | null | undefined;
}

export interface ConversationServiceParts {
  client: DatabaseClient;
  store: AudioStore;
  voices: VoicesConfig;
  logger: Logger;
  turns: Pick<TurnService, "drop">;
  wakeUps: WakeUps;
}

/** Starts, changes and removes conversations. Every method is bound to the viewer; what is not theirs is NOT_FOUND. */
export class ConversationService {
  readonly #parts: ConversationServiceParts;

  constructor(parts: ConversationServiceParts) {
    this.#parts = parts;
  }

  async start(viewer: Viewer, input: StartConversation): Promise<ConversationRow> {
    const settings = this.#checkSettings(input);
    const key = checkIdempotencyKey(input.idempotencyKey);
    const requestHash = hashRequest("startConversation", settings);
    const keyed = key === null ? null : { ownerId: viewer.id, scope: viewerScope, key, requestHash };
    try {
      return await this.#startOnce(viewer, settings, keyed);
    } catch (error) {
      // Two requests with one key at once: the other was first, so this one answers as it did.
      if (keyed === null || !isUniqueViolation(error)) throw error;
      return await this.#startOnce(viewer, settings, keyed);
    } finally {
      this.#parts.wakeUps.publish(`owner ${viewer.id}`);
    }
  }

  #startOnce(viewer: Viewer, settings: Settings, keyed: KeyedRequest | null): Promise<ConversationRow> {
    return this.#parts.client.$transaction(async (transaction) => {
      const use = keyed === null ? null : await findUse(transaction, keyed);
      if (use !== null)
        return transaction.conversation.findUniqueOrThrow({ where: { id: use.conversationId } });
      const now = new Date();
      const conversation = await transaction.conversation.create({
        data: {
          id: newId("conv"),
          ownerId: viewer.id,
          tenantId: viewer.tenantId,
          ...settings,
          titleKey: titleKey(settings.title),
          createdAt: now,
          updatedAt: now,
          lastActivityAt: now,
          eventSequence: 1,
        },
      });
      if (keyed !== null)
        await rememberUse(transaction, keyed, { conversationId: conversation.id, turnId: null });
      await recordEvent(transaction, conversation, "STARTED");
      return conversation;
    });
  }

  async update(viewer: Viewer, id: string, input: UpdateConversation): Promise<ConversationRow> {
    const checked = this.#checkSettings(input);
    return this.#change(viewer, id, {
      ...(input.title === undefined ? {} : { title: checked.title, titleKey: titleKey(checked.title) }),
      ...(input.instructions === undefined ? {} : { instructions: checked.instructions }),
      ...(input.voice === undefined ? {} : { voice: checked.voice }),
    });
  }

  /** Archiving what is archived already keeps its first time. */
  async archive(viewer: Viewer, id: string, archived: boolean): Promise<ConversationRow> {
    if (!archived) return this.#change(viewer, id, { archivedAt: null });
    const conversation = await this.#find(viewer, id);
    if (conversation.archivedAt !== null) return conversation;
    return this.#change(viewer, id, { archivedAt: new Date() });
  }

  /** Removes the rows, stops what runs without them, then removes the audio. */
  async delete(viewer: Viewer, id: string): Promise<void> {
    await this.#find(viewer, id);
    const { storageKeys, activeTurnId } = await this.#deleteRows(viewer, id);
    this.#parts.wakeUps.publish(`owner ${viewer.id}`);
    await this.#parts.turns.drop(id, activeTurnId);
    await removeAudio(this.#parts.store, this.#parts.logger, storageKeys);
  }

  #deleteRows(viewer: Viewer, id: string): Promise<{ storageKeys: string[]; activeTurnId: string | null }> {
    return this.#parts.client.$transaction(async (transaction) => {
      // Taken before anything is read: an answer that is being kept right now is either seen here or not kept.
      const conversation = await takeConversation(transaction, viewer, id, {});
      const clips = await transaction.audioClip.findMany({
        where: { conversationId: id },
        select: { storageKey: true },
      });
      const active = await transaction.turn.findUnique({ where: { activeConversationId: id } });
      await transaction.conversation.delete({ where: { id } });
      await recordEvent(transaction, conversation, "DELETED");
      return { storageKeys: clips.map(({ storageKey }) => storageKey), activeTurnId: active?.id ?? null };
    });
  }

  async #change(viewer: Viewer, id: string, changes: object): Promise<ConversationRow> {
    if (!isId("conv", id)) throw conversationNotFound();
    const changed = await this.#parts.client.$transaction(async (transaction) => {
      const conversation = await takeConversation(transaction, viewer, id, changes);
      await recordEvent(transaction, conversation, "CHANGED");
      return conversation;
    });
    this.#parts.wakeUps.publish(`owner ${viewer.id}`);
    return changed;
  }

  async #find(viewer: Viewer, id: string): Promise<ConversationRow> {
    if (!isId("conv", id)) throw conversationNotFound();
    const conversation = await this.#parts.client.conversation.findFirst({
      where: { id, ownerId: viewer.id },
    });
    if (conversation === null) throw conversationNotFound();
    return conversation;
  }

  #checkSettings(input: UpdateConversation): Settings {
    return {
      title: checkTitle(input.title),
      instructions: checkInstructions(input.instructions),
      voice: checkVoice(input.voice, this.#parts.voices),
    };
  }
}

/**
 * Changes the conversation's row and holds it until the transaction's end, as every write to a conversation does first.
 * @throws ParleyError NOT_FOUND
 */
async function takeConversation(
  transaction: DatabaseTransaction,
  viewer: Viewer,
  id: string,
  changes: object,
): Promise<ConversationRow> {
  const [conversation] = await transaction.conversation.updateManyAndReturn({
    where: { id, ownerId: viewer.id },
    data: { ...changes, updatedAt: new Date(), ...countEvent },
  });
  if (conversation === undefined) throw conversationNotFound();
  return conversation;
}

type Settings = { title: string | null; instructions: string | null; voice: string | null };
