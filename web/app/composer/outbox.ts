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

/** What is on its way. */
export interface Sending {
  /** Null for a conversation that begins with it. */
  conversationId: string | null;
  draft: Draft;
  /** Null while it is sent; else why it was not. */
  problem: Problem | null;
}

interface Letter extends Sending {
  /** The same for every try: however often a request is repeated, the server answers with one and the same turn. */
  key: string;
}

export interface NewConversation {
  instructions: string;
  voice: string | null;
}

/**
 * Sends one message at a time and keeps it until the server has it: a lost connection loses nothing, and a message
 * that is sent again is never asked twice.
 */
export class Outbox {
  readonly sending = new Watched<Sending | null>(null);
  readonly #client: ApolloClient;
  readonly #onSent: (turn: TurnFieldsFragment, conversationId: string) => void;
  #letter: Letter | null = null;
  #beginning: NewConversation = { instructions: "", voice: null };

  constructor(client: ApolloClient, onSent: (turn: TurnFieldsFragment, conversationId: string) => void) {
    this.#client = client;
    this.#onSent = onSent;
  }

  /** Sends it; a conversation that is null is started with `beginning`. */
  send(conversationId: string | null, draft: Draft, beginning: NewConversation): Promise<void> {
    this.#letter = { conversationId, draft, problem: null, key: newKey() };
    this.#beginning = beginning;
    return this.#deliver(this.#letter);
  }

  async sendAgain(): Promise<void> {
    if (this.#letter !== null) await this.#deliver({ ...this.#letter, problem: null });
  }

  /** Answers what was not sent, so that it can be written anew. */
  takeBack(): Draft | null {
    const draft = this.#letter?.draft ?? null;
    this.#show(null);
    return draft;
  }

  async #deliver(letter: Letter): Promise<void> {
    this.#show(letter);
    try {
      const conversationId = letter.conversationId ?? (await this.#begin(letter));
      const turn = await this.#addTurn(conversationId, letter);
      this.#show(null);
      this.#onSent(turn, conversationId);
    } catch (error) {
      this.#show({ ...letter, problem: toProblem(error) });
    }
  }

  async #begin({ key, draft }: Letter): Promise<string> {
    const { instructions, voice } = this.#beginning;
    const title = titleOf(draft.text);
    const { data } = await this.#client.mutate({
      mutation: StartConversationDocument,
      variables: { input: { title, instructions, voice, idempotencyKey: key } },
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

  #show(letter: Letter | null): void {
    this.#letter = letter;
    this.sending.set(letter);
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
