import type { HeardEvent } from "./operations.js";

/** What a listener has heard of a turn, over all its connections. */
export class Hearing {
  readonly turnId: string;
  /** Of the last event; null before the first. */
  cursor: string | null = null;
  words = "";
  /** Of the attempt that was heard last. */
  attempt = 0;
  /** Whether that attempt's end was heard. */
  ended = false;
  connections = 0;
  readonly faults: string[] = [];
  #sound: Buffer[] = [];
  #soundBytes = 0;

  constructor(turnId: string) {
    this.turnId = turnId;
  }

  get sound(): Buffer {
    return Buffer.concat(this.#sound);
  }

  hear(event: HeardEvent): void {
    if (event.cursor === this.cursor)
      this.faults.push(`${event.__typename} was heard twice: ${event.cursor}`);
    this.cursor = event.cursor;
    if (event.turn.id !== this.turnId) this.faults.push(`an event of ${event.turn.id} was heard`);
    switch (event.__typename) {
      case "TurnStarted":
        return this.#begin(event.turn.attempt);
      case "TranscriptDelta":
      case "TextDelta":
        this.words += event.delta ?? "";
        return;
      case "AudioDelta":
        return this.#hearSound(event.byteOffset ?? -1, Buffer.from(event.base64 ?? "", "base64"));
      case "TurnEnded":
        this.ended = true;
    }
  }

  #begin(attempt: number): void {
    this.attempt = attempt;
    this.ended = false;
    this.words = "";
    this.#sound = [];
    this.#soundBytes = 0;
  }

  #hearSound(byteOffset: number, bytes: Buffer): void {
    if (byteOffset !== this.#soundBytes)
      this.faults.push(`sound at ${byteOffset} was heard after ${this.#soundBytes} bytes`);
    this.#sound.push(bytes);
    this.#soundBytes = byteOffset + bytes.byteLength;
  }
}
