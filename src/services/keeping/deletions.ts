import { setTimeout as delay } from "node:timers/promises";
import type { Database, DatabaseClient, DatabaseTransaction } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { DeletionRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { isId } from "../../ids.js";
import type { Logger } from "../../logger.js";
import type { AudioStore } from "../../storage/audio-store.js";
import { takeConversation } from "../conversations/take-conversation.js";
import type { WakeUps } from "../live/wake-ups.js";
import { conversationNotFound } from "../not-found.js";
import type { TurnService } from "../turns/turn-service.js";
import { removePerson } from "./person.js";
import { beginReceipt } from "./receipt.js";
import type { DeletionRequester, Owner } from "./receipt.js";
import { removeFiles } from "./remove-files.js";
import { removeConversation } from "./remove-rows.js";

export interface DeletionsParts {
  client: DatabaseClient;
  store: AudioStore;
  logger: Logger;
  turns: Pick<TurnService, "drop">;
  wakeUps: WakeUps;
  eraseRemoved: Database["eraseRemoved"];
}

/** How often what is open is looked for, in milliseconds: sound that could not be removed, a server that died. */
const lookAgainMs = 5 * 60_000;
/** A deletion that somebody worked on within this time is left to them, in milliseconds. */
const atWorkMs = 60_000;
/** How long somebody waits for a person's deletion, in milliseconds; docs/privacy.md tells it. */
const answerAfterMs = 20_000;
const pageSize = 50;

/**
 * Removes conversations and persons: rows first, with a receipt in the same transaction, then files. What is interrupted
 * is finished at the next start, or by another server.
 */
export class Deletions {
  readonly #parts: DeletionsParts;
  readonly #closed = new AbortController();
  readonly #running = new Map<string, Promise<DeletionRow>>();
  #looking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: DeletionsParts) {
    this.#parts = parts;
  }

  /** Finishes what an earlier process has left open, now and then what others leave. Returns at once. */
  start(): void {
    this.#looking = this.#finishOpen(new Date());
    this.#timer = setInterval(() => {
      const before = new Date(Date.now() - atWorkMs);
      this.#looking = this.#looking.then(() => this.#finishOpen(before));
    }, lookAgainMs);
    this.#timer.unref();
  }

  /** Ends between two transactions: what is open is finished by another server, or at the next start. */
  async close(): Promise<void> {
    this.#closed.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking;
    await Promise.allSettled(this.#running.values());
  }

  /**
   * Removes the rows, stops what runs without them, then removes the files. The receipt is not completed where a file
   * could not be removed yet. Where `check` throws, which is asked when the conversation's row is taken, nothing goes.
   * @throws ParleyError NOT_FOUND
   */
  async deleteConversation(
    owner: Owner,
    id: string,
    requestedBy: DeletionRequester,
    check: (transaction: DatabaseTransaction) => Promise<void> = () => Promise.resolve(),
  ): Promise<DeletionRow> {
    const kind = requestedBy === "RETENTION" ? "RETENTION" : "CONVERSATION";
    if (!isId("conv", id)) throw conversationNotFound();
    const client = ownedClient(this.#parts.client, owner);
    const { deletion, activeTurnId } = await client.$transaction(async (transaction) => {
      // Taken before anything is read: a turn that is being added or ended right now is either seen here or not kept.
      const conversation = await takeConversation(transaction, id);
      await check(transaction);
      const deletion = await beginReceipt(transaction, { owner, kind, requestedBy, conversationId: id });
      const activeTurnId = await removeConversation(transaction, conversation, deletion.id);
      return { deletion, activeTurnId };
    });
    this.#parts.wakeUps.publish(`owner ${owner.id}`);
    await this.#parts.turns.drop(id, activeTurnId);
    return this.#finish(deletion);
  }

  /**
   * Removes everything of a person. The request is durable when this resolves, and is being carried out: `finished`
   * resolves with the receipt when all is gone, or when as much was done as can be done now.
   */
  async deletePerson(
    owner: Owner,
    requestedBy: DeletionRequester,
  ): Promise<{ requested: DeletionRow; finished: Promise<DeletionRow> }> {
    const requested = await this.requestPerson(owner, requestedBy);
    const finished = this.#finish(requested);
    finished.catch((error: unknown) => this.#tell(error, requested));
    return { requested, finished };
  }

  /**
   * Writes the request alone, for a process that leaves the work to the servers. A request that is open is answered
   * again, with its receipt.
   */
  requestPerson(owner: Owner, requestedBy: DeletionRequester): Promise<DeletionRow> {
    return this.#parts.client.$transaction(async (transaction) => {
      const open = await transaction.deletion.findFirst({
        where: { ownerId: owner.id, kind: "PERSON", rowsRemovedAt: null },
      });
      return open ?? beginReceipt(transaction, { owner, kind: "PERSON", requestedBy, conversationId: null });
    });
  }

  /**
   * Removes everything of the viewer, who has to name themselves. Resolves to the receipt when all is gone, or as it is
   * after 20 s.
   * @throws ParleyError BAD_USER_INPUT for another id
   */
  async deleteViewer(viewer: Owner, viewerId: string): Promise<DeletionRow> {
    if (viewerId !== viewer.id)
      throw new ParleyError("BAD_USER_INPUT", "viewerId must be your own id: it confirms the deletion.");
    const { requested, finished } = await this.deletePerson(viewer, "VIEWER");
    const timer = new AbortController();
    const late = delay(answerAfterMs, null, { signal: timer.signal }).catch(() => null);
    const done = await Promise.race([finished.catch(() => null), late]);
    timer.abort();
    return done ?? this.#read(requested.id);
  }

  /** At most once at a time in this process. */
  #finish(deletion: DeletionRow): Promise<DeletionRow> {
    const running = this.#running.get(deletion.id);
    if (running !== undefined) return running;
    const work = this.#finishOnce(deletion).finally(() => this.#running.delete(deletion.id));
    this.#running.set(deletion.id, work);
    return work;
  }

  async #finishOnce(deletion: DeletionRow): Promise<DeletionRow> {
    const { client, eraseRemoved } = this.#parts;
    const { id } = deletion;
    const { signal } = this.#closed;
    if (deletion.rowsRemovedAt === null) {
      await removePerson(this.#parts, deletion, signal);
      await client.deletion.update({ where: { id }, data: { rowsRemovedAt: new Date() } });
    }
    if ((await removeFiles(this.#parts, id, signal)) && (await eraseRemoved()))
      await client.deletion.updateMany({
        where: { id, completedAt: null },
        data: { completedAt: new Date() },
      });
    return this.#read(id);
  }

  #read(id: string): Promise<DeletionRow> {
    return this.#parts.client.deletion.findUniqueOrThrow({ where: { id } });
  }

  /** Those that nobody has worked on since `before`. What can't be done now is told in the log and tried again. */
  async #finishOpen(before: Date): Promise<void> {
    const { client, logger } = this.#parts;
    const { signal } = this.#closed;
    try {
      let last = "";
      for (;;) {
        const open = await client.deletion.findMany({
          where: { completedAt: null, touchedAt: { lte: before }, id: { gt: last } },
          orderBy: { id: "asc" },
          take: pageSize,
        });
        for (const deletion of open) await this.#tryAgain(deletion);
        last = open.at(-1)?.id ?? last;
        if (open.length < pageSize || signal.aborted) break;
      }
      await removeFiles(this.#parts, null, signal);
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ err: error }, "could not look for deletions that are open; trying again");
    }
  }

  async #tryAgain(deletion: DeletionRow): Promise<void> {
    const { logger } = this.#parts;
    if (this.#closed.signal.aborted) return;
    try {
      const { completedAt } = await this.#finish(deletion);
      if (completedAt !== null)
        logger.info({ deletionId: deletion.id }, "finished a deletion that was left open");
    } catch (error) {
      this.#tell(error, deletion);
    }
  }

  #tell(error: unknown, { id: deletionId }: DeletionRow): void {
    if (this.#closed.signal.aborted) return;
    this.#parts.logger.error({ err: error, deletionId }, "could not finish a deletion; trying again");
  }
}
