import type { ApolloClient } from "@apollo/client";

import { toProblem } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import {
  AddAudioTurnDocument,
  AddTextTurnDocument,
  StartConversationDocument,
} from "../client/generated/operations.js";
import type { Modality, TurnFieldsFragment } from "../client/generated/operations.js";
import { Watched } from "../client/watched.js";
import { titleOf } from "./title.js";

/** What somebody wants to say, and how the answer should come. */
export interface Draft {
  text: string;
  sound: Blob | null;
  modalities: Modality[];
}

export interface NewConversation {
  instructions: string;
  voice: string | null;
}

/** What is on its way. */
export interface Sending {
  draft: Draft;
  /** Null while it is sent; else why it was not. */
  problem: Problem | null;
}

interface Letter extends Sending {
  /** Null for a conversation that begins with it, as `beginning` says. */
  conversationId: string | null;
  beginning: NewConversation;
  /** The same for every try: however often a request is repeated, the server answers with one and the same turn. */
  key: string;
}

/** `begins`: whether the conversation was started with it. */
export type OnSent = (turn: TurnFieldsFragment, conversationId: string, begins: boolean) => void;

/**
 * Sends one message of a conversation at a time and keeps it until the server has it: a lost connection loses nothing, and a
 * message that is sent again is never asked twice.
 */
export class Outbox {
  /** By the id of the conversation; under null for one that is still to begin. */
  readonly sending = new Watched<ReadonlyMap<string | null, Sending>>(new Map());
  readonly #client: ApolloClient;
  readonly #onSent: OnSent;
  readonly #letters = new Map<string | null, Letter>();

  constructor(client: ApolloClient, onSent: OnSent) {
    this.#client = client;
    this.#onSent = onSent;
  }

  /** Sends it; a conversation that is null is started with `beginning`. */
  send(conversationId: string | null, draft: Draft, beginning: NewConversation): Promise<void> {
    return this.#deliver({ conversationId, draft, beginning, problem: null, key: newKey() });
  }

  async sendAgain(conversationId: string | null): Promise<void> {
    const letter = this.#letters.get(conversationId);
    if (letter !== undefined) await this.#deliver({ ...letter, problem: null });
  }

  discard(conversationId: string | null): void {
    this.#letters.delete(conversationId);
    this.#show();
  }

  async #deliver(letter: Letter): Promise<void> {
    this.#keep(letter);
    try {
      const conversationId = letter.conversationId ?? (await this.#begin(letter));
      const turn = await this.#addTurn(conversationId, letter);
      this.discard(letter.conversationId);
      this.#onSent(turn, conversationId, letter.conversationId === null);
    } catch (error) {
      this.#keep({ ...letter, problem: toProblem(error) });
    }
  }

  async #begin({ key, draft, beginning }: Letter): Promise<string> {
    const title = titleOf(draft.text);
    const { data } = await this.#client.mutate({
      mutation: StartConversationDocument,
      variables: { input: { title, ...beginning, idempotencyKey: key } },
    });
    return required(data).startConversation.conversation.id;
  }

  /** Answers as soon as the server has the turn (`waitMs: 0`); what comes of it is told by turnEvents. */
  async #addTurn(conversationId: string, { key, draft }: Letter): Promise<TurnFieldsFragment> {
    const { text, sound, modalities } = draft;
    const input = { conversationId, reply: { modalities }, idempotencyKey: key, waitMs: 0 };
    if (sound === null) {
      const variables = { input: { ...input, text } };
      const { data } = await this.#client.mutate({ mutation: AddTextTurnDocument, variables });
      return required(data).addTextTurn.turn;
    }
    const variables = { input: { ...input, text: text === "" ? null : text, audio: { upload: sound } } };
    const { data } = await this.#client.mutate({ mutation: AddAudioTurnDocument, variables });
    return required(data).addAudioTurn.turn;
  }

  #keep(letter: Letter): void {
    this.#letters.set(letter.conversationId, letter);
    this.#show();
  }

  #show(): void {
    this.sending.set(new Map(this.#letters));
  }
}

/** Unguessable and new. `crypto.randomUUID` is missing on pages that came over plain http. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** With the default error policy a mutation has data, or throws. */
function required<T>(data: T | undefined | null): T {
  if (data == null) throw new Error("The server answered without data.");
  return data;
}
