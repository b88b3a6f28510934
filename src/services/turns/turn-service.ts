import { setTimeout as delay } from "node:timers/promises";
import type { Viewer } from "../../auth/viewer.js";
import type { VoicesConfig } from "../../config/config.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { isId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import type { Budgets } from "../budgets/budgets.js";
import type { IncomingAudio } from "../audio/incoming-audio.js";
import type { AudioIntake, ReceivedAudio } from "../audio/intake.js";
import { removeAudio } from "../audio/remove-audio.js";
import { checkIdempotencyKey, checkOptionalText, checkText, checkWaitMs } from "../input.js";
import { conversationNotFound, turnNotFound, uploadNotFound } from "../not-found.js";
import { acceptRetry } from "./accept-retry.js";
import { acceptTurn } from "./accept-turn.js";
import type { AcceptedSound, NewTurn } from "./accept-turn.js";
import type { Acceptance } from "./acceptance.js";
import { countActiveTurns, tooManyActive } from "./active-turns.js";
import { hashRequest } from "./idempotency.js";
import { findKeyedTurn, keyedRequest } from "./keyed-turn.js";
import type { CheckedTurn } from "./keyed-turn.js";
import type { Lease } from "./lease.js";
import { checkReply } from "./reply.js";
import type { ReplyRequest } from "./reply.js";
import type { TurnRunner } from "./runner.js";
import { isActive, toTurnStatus } from "./status.js";
import type { AudioUploads, KeptUpload } from "../uploads/audio-uploads.js";
import type { WakeUps } from "../live/wake-ups.js";
import { tellDropped } from "./tell-dropped.js";
import { untilEnd } from "./until-end.js";
import type { UntilEndParts } from "./until-end.js";

interface TurnInput {
  conversationId: string;
  reply: ReplyRequest;
  idempotencyKey?: string | null | undefined;
  /** Milliseconds, 0 to 120,000. */
  waitMs: number;
}
export type AddTextTurn = TurnInput & { text: string };
export type AddAudioTurn = TurnInput & { text?: string | null | undefined; audio: IncomingAudio };
export interface RetryTurn {
  turnId: string;
  idempotencyKey?: string | null | undefined;
  waitMs: number;
}

export interface TurnServiceParts extends UntilEndParts {
  store: AudioStore;
  intake: AudioIntake;
  uploads: AudioUploads;
  runner: TurnRunner;
  wakeUps: WakeUps;
  voices: VoicesConfig;
  /** Null: what is spent is not limited. */
  budgets: Budgets | null;
  /** Turns of one viewer that may be queued or running at once. */
  maxActive: number;
  logger: Logger;
}

const cancelWaitMs = 5_000;

/** Adds turns and leads them to their end. Every method is bound to the viewer; what is not theirs is NOT_FOUND. */
export class TurnService {
  readonly #parts: TurnServiceParts;

  constructor(parts: TurnServiceParts) {
    this.#parts = parts;
  }

  addText(viewer: Viewer, input: AddTextTurn): Promise<TurnRow> {
    const checked = { ...this.#checkTurn(input), text: checkText(input.text) };
    return this.#add(viewer, checked, null);
  }

  /**
   * Everything that can be refused without the bytes is refused before they are read.
   * @param recheck asked when they are there, which may take minutes: whether the viewer is still let in
   */
  async addAudio(viewer: Viewer, input: AddAudioTurn, recheck: () => Promise<void>): Promise<TurnRow> {
    const checked = { ...this.#checkTurn(input), text: checkOptionalText(input.text) };
    await this.#findConversation(viewer, checked.conversationId);
    // A request that is repeated under its key is told what it made, however many turns there are.
    if (checked.key === null) await this.#refuseAtActive(viewer);
    const { uploadId } = input.audio;
    const upload = uploadId == null ? null : await this.#parts.uploads.open(viewer, uploadId);
    if (upload?.used === true) return this.#replay(viewer, checked, upload.receivedSha256);
    const sound = upload === null ? input.audio : { upload: Promise.resolve(upload) };
    const received = await this.#parts.intake.receive(sound);
    try {
      // The upload may have taken long.
      this.#parts.runner.refuseWhenClosing();
      await recheck();
      return await this.#add(viewer, checked, received, upload);
    } finally {
      await received.discard();
    }
  }

  async retry(viewer: Viewer, input: RetryTurn): Promise<TurnRow> {
    this.#parts.runner.refuseWhenClosing();
    const waitMs = checkWaitMs(input.waitMs);
    const key = checkIdempotencyKey(input.idempotencyKey);
    const { id: turnId, conversationId } = await this.find(viewer, input.turnId);
    const requestHash = hashRequest("retryTurn", { turnId });
    const keyed = key === null ? null : { ownerId: viewer.id, scope: conversationId, key, requestHash };
    const lease = this.#parts.runner.newLease();
    const { budgets, maxActive } = this.#parts;
    const request = { ownerId: viewer.id, turnId, conversationId, keyed, lease, maxActive };
    const { removedStorageKeys, ...acceptance } = await acceptRetry(this.#clientOf(viewer), request, budgets);
    this.#run(acceptance, lease);
    // Only now: sound that can't be removed must not keep an accepted turn from running.
    await removeAudio(this.#parts.store, this.#parts.logger, removedStorageKeys);
    return untilEnd(this.#parts, acceptance.turn, waitMs);
  }

  async cancel(viewer: Viewer, turnId: string): Promise<TurnRow> {
    const turn = await this.find(viewer, turnId);
    if (!isActive(toTurnStatus(turn.status))) return turn;
    await this.#requestCancel(turn.id);
    return untilEnd(this.#parts, turn, cancelWaitMs);
  }

  /**
   * Drops what runs of a conversation that was deleted, `activeTurnId` also where another server runs it; waits for what
   * ran here to be gone, a few seconds at most.
   */
  async drop(conversationId: string, activeTurnId: string | null): Promise<void> {
    const { wakeUps, runner } = this.#parts;
    if (activeTurnId !== null) tellDropped(wakeUps, activeTurnId);
    const timer = new AbortController();
    const late = delay(cancelWaitMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([runner.cancelConversation(conversationId), late]);
    timer.abort();
  }

  /** @throws ParleyError NOT_FOUND */
  async find(viewer: Viewer, turnId: string): Promise<TurnRow> {
    const where = { id: turnId };
    const turn = isId("turn", turnId) ? await this.#clientOf(viewer).turn.findUnique({ where }) : null;
    if (turn === null) throw turnNotFound();
    return turn;
  }

  async #add(
    viewer: Viewer,
    checked: CheckedTurn,
    received: ReceivedAudio | null,
    upload: KeptUpload | null = null,
  ): Promise<TurnRow> {
    const lease = this.#parts.runner.newLease();
    const sound = received === null ? null : await received.keep(checked.conversationId);
    const uploadId = upload?.id ?? null;
    const acceptance = await this.#accept(viewer, { ...checked, sound, uploadId, lease });
    this.#run(acceptance, lease);
    if (upload !== null && !acceptance.replayed) await this.#parts.uploads.removeUsed(upload);
    return untilEnd(this.#parts, acceptance.turn, checked.waitMs);
  }

  #run(acceptance: Acceptance, lease: Lease): void {
    if (acceptance.replayed) return;
    const { turn, question } = acceptance;
    this.#parts.runner.start(turn, question, lease);
    this.#parts.wakeUps.publish(`turn ${turn.id}`);
    this.#parts.wakeUps.publish(`owner ${turn.ownerId}`);
  }

  /** A request that comes once more with an upload that was used: the same turn, where its key stands for one. */
  async #replay(viewer: Viewer, checked: CheckedTurn, receivedSha256: string): Promise<TurnRow> {
    const keyed = keyedRequest(viewer, checked, receivedSha256);
    const turn = keyed === null ? null : await findKeyedTurn(this.#clientOf(viewer), keyed);
    if (turn === null) throw uploadNotFound();
    return untilEnd(this.#parts, turn, checked.waitMs);
  }

  async #accept(viewer: Viewer, toAccept: TurnToAccept): Promise<Acceptance> {
    const { conversationId, text, reply, sound, uploadId, lease } = toAccept;
    const keyed = keyedRequest(viewer, toAccept, sound?.receivedSha256 ?? null);
    const { maxActive, voices } = this.#parts;
    const wish = { conversationId, text, sound, uploadId, reply, defaultVoice: voices.default };
    const request = { ...wish, ownerId: viewer.id, keyed, lease, maxActive };
    try {
      const acceptance = await acceptTurn(this.#clientOf(viewer), request, this.#parts.budgets);
      if (acceptance.replayed) await this.#forget(sound);
      return acceptance;
    } catch (error) {
      // Only a refusal is sure to have left no row that refers to the sound: after any other error it is kept.
      if (error instanceof ParleyError) await this.#forget(sound);
      throw error;
    }
  }

  async #forget(sound: AcceptedSound | null): Promise<void> {
    if (sound !== null) await removeAudio(this.#parts.store, this.#parts.logger, [sound.storageKey]);
  }

  #checkTurn(input: TurnInput): Omit<CheckedTurn, "text"> {
    this.#parts.runner.refuseWhenClosing();
    if (!isId("conv", input.conversationId)) throw conversationNotFound();
    return {
      conversationId: input.conversationId,
      reply: checkReply(input.reply, this.#parts.voices),
      key: checkIdempotencyKey(input.idempotencyKey),
      waitMs: checkWaitMs(input.waitMs),
    };
  }

  async #findConversation(viewer: Viewer, id: string): Promise<void> {
    const found = await this.#clientOf(viewer).conversation.count({ where: { id } });
    if (found === 0) throw conversationNotFound();
  }

  /** The turns of the viewer that are queued or running, on all servers. */
  countActive(viewerId: string): Promise<number> {
    return countActiveTurns(this.#parts.client, viewerId);
  }

  async #refuseAtActive(viewer: Viewer): Promise<void> {
    const { maxActive } = this.#parts;
    if ((await this.countActive(viewer.id)) >= maxActive) throw tooManyActive(maxActive);
  }

  #clientOf(viewer: Viewer): DatabaseClient {
    return ownedClient(this.#parts.client, viewer);
  }

  async #requestCancel(turnId: string): Promise<void> {
    await this.#parts.client.turn.updateMany({
      where: { id: turnId, activeConversationId: { not: null } },
      data: { cancelRequestedAt: new Date() },
    });
    this.#parts.runner.cancel(turnId);
    this.#parts.wakeUps.tellOthers(`cancel ${turnId}`);
  }
}

type TurnToAccept = CheckedTurn & Pick<NewTurn, "sound" | "uploadId" | "lease">;
