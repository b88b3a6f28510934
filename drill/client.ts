import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { wavHeader } from "../src/services/audio/formats/wav-header.js";
import { planQuestion } from "./client-plan.js";
import type { QuestionPlan } from "./client-plan.js";
import { Hearing } from "./hearing.js";
import { isOver } from "./ledger.js";
import type { KnownConversation, KnownTurn, ToldTurn } from "./ledger.js";
import type { Listener } from "./listener.js";
import * as operations from "./operations.js";
import type { ChangedTurn, DeletedConversation, ReadTurn, StartedConversation } from "./operations.js";
import type { Moments } from "./moments.js";
import { ask, upload } from "./requests.js";
import { WrongAnswer } from "./sender.js";
import type { Send, Sender } from "./sender.js";

export interface ClientParts {
  seed: number;
  sender: Sender;
  moments: Moments;
  /** Null where the servers have no subscriptions. */
  listener: Listener | null;
}

export const oneTurn = "a key stands for one turn, however often and wherever it is sent";
export const toldStays = "what a client was told of a turn's end stays true";
export const ends = "every accepted turn comes to its end in time";
const waitMs = 20_000;
const endPatienceMs = 40_000;
/** A conversation whose history grows for ever would only make the requests slow. */
const turnsOfConversation = 10;
const openConversations = 3;

/** Somebody who talks with Parley, one question after the other, and does not let go until it is answered. */
export class Client {
  readonly #index: number;
  readonly #parts: ClientParts;
  #open: KnownConversation[] = [];
  #started = 0;

  constructor(index: number, parts: ClientParts) {
    this.#index = index;
    this.#parts = parts;
  }

  /** Until it is told to stop; what was begun is brought to its end. */
  async run(stop: AbortSignal): Promise<void> {
    for (let number = 1; !stop.aborted; number += 1) {
      const plan = planQuestion(this.#parts.seed, this.#index, number);
      try {
        await this.#question(plan, `drill-${this.#index}-${number}`);
      } catch (error) {
        // It is among the findings already; the client goes on with something else.
        if (!(error instanceof WrongAnswer)) throw error;
      }
      await delay(plan.thinkMs);
    }
  }

  async #question(plan: QuestionPlan, marker: string): Promise<void> {
    const conversation = await this.#conversationFor(plan);
    const { turn, told } = await this.#add(plan, marker, conversation);
    if (plan.listens) this.#listen(turn);
    if (plan.deletes === "while it runs") return this.#delete(conversation);
    if (plan.cancelAfterMs !== null) await this.#cancel(turn, plan.cancelAfterMs);
    let end = await this.#untilOver(turn, told);
    for (let retry = 1; retry <= plan.retries && isWorthRetrying(end); retry += 1) {
      const again = await this.#retry(turn, `${marker}-${retry}`, plan.waits);
      if (plan.listens) this.#listen(turn);
      end = await this.#untilOver(turn, again);
    }
    if (plan.deletes === "afterwards") await this.#delete(conversation);
  }

  async #conversationFor(plan: QuestionPlan): Promise<KnownConversation> {
    this.#open = this.#open.filter(({ turns, deleted }) => turns.length < turnsOfConversation && !deleted);
    const chosen = this.#open[Math.floor(plan.conversation * this.#open.length)];
    const another = plan.fresh || this.#open.length < openConversations - 1;
    if (chosen !== undefined && !another) return chosen;
    this.#started += 1;
    const input = { idempotencyKey: `client-${this.#index}-${this.#started}` };
    const query = { query: operations.startConversation, variables: { input } };
    const data = await this.#parts.sender.send<StartedConversation>("startConversation", (server) =>
      ask(server, query),
    );
    const { id } = data.startConversation.conversation;
    const conversation = { id, turns: [], deleted: false, deletionAnswered: false };
    this.#parts.sender.ledger.conversations.push(conversation);
    this.#open = [...this.#open, conversation].slice(-openConversations);
    return conversation;
  }

  /** Sends the question until it is answered: the answer's turn is accepted, and must never be lost. */
  async #add(plan: QuestionPlan, marker: string, conversation: KnownConversation) {
    const { sender } = this.#parts;
    const sound = plan.kind === "audio" ? tone(plan.sound) : null;
    const send = this.#sending(plan, marker, conversation.id, sound);
    try {
      const more = { impatientAfterMs: plan.impatientAfterMs };
      const [first, ...others] = await Promise.all(
        (plan.twice ? [0, 1] : [0]).map(() => sender.send<ChangedTurn>(`adding ${marker}`, send, more)),
      );
      const told = first?.changed.turn;
      if (told === undefined) throw new Error("unreachable");
      const ids = new Set([told.id, ...others.map(({ changed }) => changed.turn.id)]);
      if (ids.size > 1) sender.findings.violate(oneTurn, `${marker} was sent twice at once`, ...ids);
      return { turn: this.#remember(told, conversation, marker, sound), told };
    } catch (error) {
      sender.ledger.givenUp.add(marker);
      throw error;
    }
  }

  #sending(
    plan: QuestionPlan,
    marker: string,
    conversationId: string,
    sound: Uint8Array | null,
  ): Send<ChangedTurn> {
    const { moments } = this.#parts;
    const reply = plan.kind === "text-only" ? { modalities: ["TEXT"] } : { format: plan.format };
    const input = {
      conversationId,
      text: `${marker} wants to hear something about dogs of every kind.`,
      idempotencyKey: marker,
      waitMs: plan.waits ? waitMs : 0,
      reply,
    };
    if (sound === null) {
      const operation = { query: operations.addTextTurn, variables: { input } };
      return async (server, signal) => {
        const onSent = () => void moments.reach("sent", server);
        const answer = await ask<ChangedTurn>(server, operation, { signal, onSent });
        if (!plan.waits) moments.reach("accepted", server);
        return answer;
      };
    }
    const variables = { input: { ...input, audio: { upload: null } } };
    const operation = { query: operations.addAudioTurn, variables };
    const file = { path: "variables.input.audio.upload", bytes: sound, ...plan.sound };
    return (server, signal) =>
      upload(
        server,
        operation,
        {
          ...file,
          onProgress: (progress) => void moments.reach("uploading", server, { progress }),
        },
        signal,
      );
  }

  #remember(
    told: ToldTurn,
    conversation: KnownConversation,
    marker: string,
    sound: Uint8Array | null,
  ): KnownTurn {
    const { ledger, findings } = this.#parts.sender;
    const earlier = ledger.turns.get(told.id);
    if (earlier !== undefined)
      findings.violate(oneTurn, `${marker} was answered with the turn of ${earlier.marker}`, told.id);
    const sentSha256 = sound === null ? null : createHash("sha256").update(sound).digest("hex");
    const known = { id: told.id, conversation, marker, sentSha256, retries: 0, lastEnd: null, hearing: null };
    const turn: KnownTurn = known;
    ledger.turns.set(turn.id, turn);
    conversation.turns.push(turn);
    return turn;
  }

  #listen(turn: KnownTurn): void {
    if (this.#parts.listener === null) return;
    turn.hearing ??= new Hearing(turn.id);
    this.#parts.listener.follow(turn, turn.hearing);
  }

  async #cancel(turn: KnownTurn, afterMs: number): Promise<void> {
    await delay(afterMs);
    const operation = { query: operations.cancelTurn, variables: { input: { turnId: turn.id } } };
    await this.#parts.sender.send<ChangedTurn>("cancelTurn", (server) => ask(server, operation));
  }

  async #retry(turn: KnownTurn, idempotencyKey: string, waits: boolean): Promise<ToldTurn> {
    const input = { turnId: turn.id, idempotencyKey, waitMs: waits ? waitMs : 0 };
    const operation = { query: operations.retryTurn, variables: { input } };
    const { sender } = this.#parts;
    const { changed } = await sender.send<ChangedTurn>("retryTurn", (server) => ask(server, operation));
    turn.retries += 1;
    if (changed.turn.id !== turn.id)
      sender.findings.violate(oneTurn, `the retry ${idempotencyKey} was answered with another turn`, turn.id);
    return changed.turn;
  }

  /** Looks at the turn until it has ended, and remembers how. */
  async #untilOver(turn: KnownTurn, told: ToldTurn): Promise<ToldTurn> {
    const { sender } = this.#parts;
    const operation = { query: operations.readTurn, variables: { id: turn.id } };
    const deadline = Date.now() + endPatienceMs;
    let now = told;
    while (!isOver(now)) {
      if (Date.now() > deadline)
        throw sender.refuse(ends, `${turn.marker} is ${now.status} after ${endPatienceMs} ms`, turn.id);
      await delay(30);
      const read = await sender.send<ReadTurn>("turn", (server) => ask(server, operation));
      if (read.turn === null) throw sender.refuse(toldStays, `${turn.marker} can't be found`, turn.id);
      now = read.turn;
    }
    turn.lastEnd = now;
    return now;
  }

  async #delete(conversation: KnownConversation): Promise<void> {
    const input = { conversationId: conversation.id };
    const operation = { query: operations.deleteConversation, variables: { input } };
    // The first time may have done it although its answer was lost.
    const allowed = ["NOT_FOUND"];
    const data = await this.#parts.sender.send<Partial<DeletedConversation>>(
      "deleteConversation",
      (server) => ask(server, operation),
      {
        allowed,
      },
    );
    conversation.deleted = true;
    conversation.deletionAnswered = data.deleteConversation !== undefined;
  }
}

function isWorthRetrying({ status, error }: ToldTurn): boolean {
  return status === "CANCELLED" || error?.code === "INTERRUPTED";
}

/** 24 kHz mono, so that it goes to the model as it is. */
function tone({ durationMs, frequencyHz }: QuestionPlan["sound"]): Uint8Array {
  const samples = Int16Array.from({ length: durationMs * 24 }, (_, index) =>
    Math.round(6_000 * Math.sin((2 * Math.PI * frequencyHz * index) / 24_000)),
  );
  const dataByteLength = samples.byteLength;
  const header = wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength });
  return Buffer.concat([header, new Uint8Array(samples.buffer)]);
}
