import { subscribe } from "./subscriptions.js";
import type { EventResult, Transport } from "./subscriptions.js";
import type { GraphqlError } from "./parley.js";

export interface TurnEvent {
  __typename: string;
  cursor: string;
  turn: { id: string; status: string; attempt: number };
  delta?: string;
  byteOffset?: number;
  byteLength?: number;
  base64?: string;
}

export const turnEventsDocument = /* GraphQL */ `
  subscription ($turnId: ID!, $after: String) {
    turnEvents(turnId: $turnId, after: $after) {
      __typename
      cursor
      turn {
        id
        status
        attempt
      }
      ... on TranscriptDelta {
        delta
      }
      ... on TextDelta {
        delta
      }
      ... on AudioDelta {
        byteOffset
        byteLength
        base64
      }
    }
  }
`;

/** The events of a turn; an error in the place of one is thrown as TurnEventsError. */
export async function* turnEvents(
  transport: Transport,
  origin: string,
  turnId: string,
  after: string | null = null,
): AsyncGenerator<TurnEvent, void, undefined> {
  const results = subscribe<{ turnEvents: TurnEvent }>(transport, origin, turnEventsDocument, {
    turnId,
    after,
  });
  for await (const result of results) yield eventOf(result);
}

function eventOf({ data, errors }: EventResult<{ turnEvents: TurnEvent }>): TurnEvent {
  if (errors !== undefined) throw new TurnEventsError(errors);
  if (data == null) throw new Error("an event without data");
  return data.turnEvents;
}

export class TurnEventsError extends Error {
  readonly codes: string[];

  constructor(errors: GraphqlError[]) {
    super(JSON.stringify(errors));
    this.codes = errors.map(({ extensions }) => extensions.code);
  }
}

/** What somebody has heard of a turn who follows its events as the API's documentation says. */
export class Heard {
  types: string[] = [];
  text = "";
  transcript = "";
  sound = Buffer.alloc(0);
  cursor: string | null = null;
  ended = false;

  /** Throws where a piece does not follow what was heard before. */
  take(event: TurnEvent): void {
    this.types.push(event.__typename);
    this.cursor = event.cursor;
    switch (event.__typename) {
      case "TurnStarted":
        this.text = this.transcript = "";
        this.sound = Buffer.alloc(0);
        return;
      case "TextDelta":
        this.text += event.delta ?? "";
        return;
      case "TranscriptDelta":
        this.transcript += event.delta ?? "";
        return;
      case "AudioDelta":
        this.#takeSound(event);
        return;
      case "TurnEnded":
        this.ended = true;
    }
  }

  #takeSound({ byteOffset, byteLength, base64 }: TurnEvent): void {
    const bytes = Buffer.from(base64 ?? "", "base64");
    if (byteOffset !== this.sound.byteLength || byteLength !== bytes.byteLength)
      throw new Error(`sound at ${byteOffset} of ${byteLength} bytes after ${this.sound.byteLength}`);
    this.sound = Buffer.concat([this.sound, bytes]);
  }

  /** Takes events until the subscription ends by itself. */
  async takeAll(events: AsyncIterable<TurnEvent>): Promise<this> {
    for await (const event of events) this.take(event);
    return this;
  }

  /** Words and sound, for comparison with what was kept. */
  get answer(): { text: string | null; transcript: string | null; sound: string } {
    return {
      text: this.text === "" ? null : this.text,
      transcript: this.transcript === "" ? null : this.transcript,
      sound: this.sound.toString("base64"),
    };
  }
}
