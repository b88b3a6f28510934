import type { Viewer } from "../../auth/viewer.js";
import type { VoicesConfig } from "../../config/config.js";
import { isUniqueViolation } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { DatabaseClient } from "../../db/database.js";
import type { ConversationRow, DeletionRow } from "../../db/rows.js";
import { isId, newId } from "../../ids.js";
import type { Deletions } from "../keeping/deletions.js";
import { retentionColumns } from "../keeping/retention-days.js";
import type { RetentionColumns, RetentionWish } from "../keeping/retention-days.js";
import { recordEvent } from "../live/conversation-log.js";
import type { WakeUps } from "../live/wake-ups.js";
import { conversationNotFound } from "../not-found.js";
import { checkIdempotencyKey, checkInstructions, checkTitle, checkVoice } from "../input.js";
import { findUse, hashRequest, rememberUse, viewerScope } from "../turns/idempotency.js";
import type { KeyedRequest } from "../turns/idempotency.js";
import { takeConversation } from "./take-conversation.js";
import { titleKey } from "./title.js";

export interface StartConversation {
  title?: string | null | undefined;
  instructions?: string | null | undefined;
  voice?: string | null | undefined;
  retention?: RetentionWish | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** Absent stays, null clears. */
export interface UpdateConversation {
  title?: string | null | undefined;
  instructions?: string | null | undefined;
  voice?: string | null | undefined;
  retention?: RetentionWish | null | undefined;
}

export interface ConversationServiceParts {
  client: DatabaseClient;
  voices: VoicesConfig;
  deletions: Deletions;
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
    // Without its own days a conversation has the hash that it always had, so that keys from before still fit.
    const { title, instructions, voice, ...days } = settings;
    const own = Object.values(days).some((value) => value !== null) ? days : {};
    const requestHash = hashRequest("startConversation", { title, instructions, voice, ...own });
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
    return this.#clientOf(viewer).$transaction(async (transaction) => {
      const use = keyed === null ? null : await findUse(transaction, keyed);
      if (use !== null)
        return transaction.conversation.findUniqueOrThrow({ where: { id: use.conversationId } });
      const now = new Date();
      const conversation = await transaction.conversation.create({
        data: {
          id: newId("conv"),
          ownerId: viewer.id,
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
      ...(input.retention === undefined ? {} : retentionColumns(input.retention)),
    });
  }

  /** Archiving what is archived already keeps its first time. */
  async archive(viewer: Viewer, id: string, archived: boolean): Promise<ConversationRow> {
    if (!archived) return this.#change(viewer, id, { archivedAt: null });
    const conversation = await this.#find(viewer, id);
    if (conversation.archivedAt !== null) return conversation;
    return this.#change(viewer, id, { archivedAt: new Date() });
  }

  /** Removes it with all that is in it, and answers the receipt. */
  delete(viewer: Viewer, id: string): Promise<DeletionRow> {
    return this.#parts.deletions.deleteConversation(viewer, id, "VIEWER");
  }

  async #change(viewer: Viewer, id: string, changes: object): Promise<ConversationRow> {
    if (!isId("conv", id)) throw conversationNotFound();
    const changed = await this.#clientOf(viewer).$transaction(async (transaction) => {
      const conversation = await takeConversation(transaction, id, changes);
      await recordEvent(transaction, conversation, "CHANGED");
      return conversation;
    });
    this.#parts.wakeUps.publish(`owner ${viewer.id}`);
    return changed;
  }

  async #find(viewer: Viewer, id: string): Promise<ConversationRow> {
    if (!isId("conv", id)) throw conversationNotFound();
    const conversation = await this.#clientOf(viewer).conversation.findUnique({ where: { id } });
    if (conversation === null) throw conversationNotFound();
    return conversation;
  }

  #clientOf(viewer: Viewer): DatabaseClient {
    return ownedClient(this.#parts.client, viewer);
  }

  #checkSettings(input: UpdateConversation): Settings {
    return {
      title: checkTitle(input.title),
      instructions: checkInstructions(input.instructions),
      voice: checkVoice(input.voice, this.#parts.voices),
      ...retentionColumns(input.retention),
    };
  }
}

type Settings = RetentionColumns & {
  title: string | null;
  instructions: string | null;
  voice: string | null;
};
