import type { DatabaseClient } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { sqltag as sql } from "../../db/sql.js";
import type { Dialect, Sql } from "../../db/sql.js";
import type { AudioFormat } from "../audio/clip-format.js";
import { LeaseLostError } from "../turns/lease.js";
import type { Fence } from "../turns/lease.js";

export interface LogEntry {
  sequence: number;
  text: string | null;
  transcript: string | null;
  audioByteLength: number;
}

/** Where an answer is written while it grows. */
export interface GrowingRows {
  turn: TurnRow;
  fence: Fence;
  messageId: string;
  clip: { id: string; storageKey: string; format: AudioFormat };
}

/** Writes the rows of an answer that grows. Who has lost the lease of the turn writes nothing. */
export class AnswerLogRows {
  readonly #client: DatabaseClient;
  readonly #dialect: Dialect;
  readonly #rows: GrowingRows;
  #hasClip = false;

  constructor(client: DatabaseClient, dialect: Dialect, rows: GrowingRows) {
    this.#client = client;
    this.#dialect = dialect;
    this.#rows = rows;
  }

  /**
   * One transaction: the entry, and before it the message and the clip where it is the first that needs them.
   * @throws LeaseLostError
   */
  async write(entry: LogEntry): Promise<void> {
    const beginsClip = !this.#hasClip && entry.audioByteLength > 0;
    const before = [
      ...(entry.sequence === 1 ? [this.#messageRow()] : []),
      ...(beginsClip ? [this.#clipRow()] : []),
    ];
    const count = await this.#execute(before, this.#entryRow(entry));
    if (count === 0) throw new LeaseLostError(`the turn ${this.#rows.turn.id} is no longer run here`);
    this.#hasClip ||= beginsClip;
  }

  /** Whether an entry is there, though the database's answer to the write was lost. */
  async wasWritten({ sequence, audioByteLength }: LogEntry): Promise<boolean> {
    const { messageId } = this.#rows;
    const found = await this.#client.answerLogEntry.count({ where: { messageId, sequence } });
    if (found > 0) this.#hasClip ||= audioByteLength > 0;
    return found > 0;
  }

  /** Answers how many rows the last statement wrote. A single statement needs no transaction. */
  async #execute(before: readonly Sql[], last: Sql): Promise<number> {
    if (before.length === 0) return this.#client.$executeRaw(last);
    const counts = await this.#client.$transaction(
      [...before, last].map((statement) => this.#client.$executeRaw(statement)),
    );
    return counts.at(-1) ?? 0;
  }

  #messageRow(): Sql {
    return sql`
      INSERT INTO "Message" ("id", "ownerId", "conversationId", "turnId", "role", "growing", "createdAt")
      SELECT ${this.#rows.messageId}, "ownerId", "conversationId", "id", 'ASSISTANT', TRUE, ${this.#now()}
      ${this.#whileFenced()}`;
  }

  #clipRow(): Sql {
    const { messageId, clip } = this.#rows;
    return sql`
      INSERT INTO "AudioClip"
        ("id", "ownerId", "conversationId", "messageId", "storageKey", "format", "byteLength", "createdAt")
      SELECT ${clip.id}, "ownerId", "conversationId", ${messageId}, ${clip.storageKey}, ${clip.format}, 0, ${this.#now()}
      ${this.#whileFenced()}`;
  }

  #entryRow({ sequence, text, transcript, audioByteLength }: LogEntry): Sql {
    return sql`
      INSERT INTO "AnswerLogEntry" ("messageId", "sequence", "text", "transcript", "audioByteLength")
      SELECT ${this.#rows.messageId}, CAST(${sequence} AS INTEGER), ${text}, ${transcript},
        CAST(${audioByteLength} AS INTEGER)
      ${this.#whileFenced()}`;
  }

  #now(): Sql {
    return this.#dialect.instant(new Date());
  }

  /** On Postgres the turn's row is held, so that nobody takes the turn over between the look and the write. */
  #whileFenced(): Sql {
    const { id, attempt, leaseOwner } = this.#rows.fence;
    return sql`
      FROM "Turn" WHERE "id" = ${id} AND "attempt" = CAST(${attempt} AS INTEGER) AND "leaseOwner" = ${leaseOwner}
        AND "activeConversationId" IS NOT NULL ${this.#dialect.forShare}`;
  }
}
