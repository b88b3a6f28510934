import { join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { newId } from "../../src/ids.js";
import type { IdPrefix } from "../../src/ids.js";

const rowShape = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
type Row = z.infer<typeof rowShape>;
type Table = "Turn" | "Message" | "AudioClip" | "ModelCall";

/** The rows of one turn that has really been, so that copies of it have whatever columns there are. */
interface Model {
  turn: Row;
  messages: { message: Row; clip: Row | null }[];
  calls: Row[];
}

/** Puts copies of a conversation's only turn into other conversations. The server must not be running. */
export function storeCopies(folder: string, modelId: string, counts: ReadonlyMap<string, number>): void {
  const database = new Database(join(folder, "parley.db"), { fileMustExist: true });
  try {
    const store = new TurnStore(database);
    const model = store.read(modelId);
    database.transaction(() => {
      for (const [conversationId, count] of counts)
        for (let position = 1; position <= count; position += 1) store.copy(model, conversationId, position);
    })();
  } finally {
    database.close();
  }
}

class TurnStore {
  readonly #database: Database.Database;
  readonly #inserts = new Map<Table, Database.Statement<[Row]>>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  read(conversationId: string): Model {
    const [turn] = this.#all("Turn", "conversationId", conversationId);
    if (turn === undefined) throw new Error("there is no turn to copy");
    const messages = this.#all("Message", "turnId", turn["id"] ?? null).map((message) => ({
      message,
      clip: this.#all("AudioClip", "messageId", message["id"] ?? null)[0] ?? null,
    }));
    return { turn, messages, calls: this.#all("ModelCall", "turnId", turn["id"] ?? null) };
  }

  copy({ turn, messages, calls }: Model, conversationId: string, position: number): void {
    const place = { conversationId, position, usableBefore: position - 1 };
    const turnId = this.#insert("Turn", turn, "turn", place);
    for (const { message, clip } of messages) {
      const messageId = this.#insert("Message", message, "msg", { conversationId, turnId });
      if (clip !== null)
        this.#insert("AudioClip", clip, "clip", { conversationId, messageId, ...expired(clip) });
    }
    for (const call of calls) this.#insert("ModelCall", call, "call", { conversationId, turnId });
  }

  #all(table: Table, column: string, value: Row[string]): Row[] {
    const rows = this.#database.prepare(`SELECT * FROM "${table}" WHERE "${column}" = ?`).all(value);
    return rows.map((row) => rowShape.parse(row));
  }

  #insert(table: Table, model: Row, prefix: IdPrefix, changes: Row): string {
    const id = newId(prefix);
    const columns = Object.keys(model);
    const insert =
      this.#inserts.get(table) ??
      this.#database.prepare<[Row]>(
        `INSERT INTO "${table}" (${columns.map((name) => `"${name}"`).join()}) VALUES (${columns.map((name) => `@${name}`).join()})`,
      );
    this.#inserts.set(table, insert);
    insert.run({ ...model, ...changes, id });
    return id;
  }
}

/** As most earlier sound is: the model knows it no more, so its words are sent. */
function expired(clip: Row): Row {
  const expiresAt = z.string().parse(clip["providerAudioExpiresAt"]);
  return {
    storageKey: `${newId("conv")}/${newId("clip")}.wav`,
    providerAudioId: `audio_${newId("clip")}`,
    providerAudioExpiresAt: expiresAt.replace(/^\d{4}/, "2020"),
  };
}
