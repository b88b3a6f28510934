import { UnreadableAnswer } from "./interruptions.js";

/** Far above any chunk seen (19,200 bytes of PCM make 26 kB), far below what would hurt. */
export const maxEventLength = 4 * 1024 * 1024;

/** Server-sent events, fed with bytes as they come. Only `data` is read; an event without its closing blank line is dropped. */
export class SseReader {
  readonly #decoder = new TextDecoder();
  readonly #maxLength: number;
  #line: string[] = [];
  #lineLength = 0;
  #data: string[] = [];
  #dataLength = 0;
  #afterReturn = false;

  /** `maxLength` bounds a line and an event, in UTF-16 units; beyond it `push` throws UnreadableAnswer. */
  constructor(maxLength = maxEventLength) {
    this.#maxLength = maxLength;
  }

  /** The data of every event that these bytes end. */
  push(bytes: Uint8Array): string[] {
    const events: string[] = [];
    const pieces = this.#splitLines(this.#decoder.decode(bytes, { stream: true }));
    for (const [index, piece] of pieces.entries()) {
      this.#grow(piece);
      if (index < pieces.length - 1) this.#endLine(events);
    }
    return events;
  }

  #splitLines(text: string): string[] {
    if (text === "") return [];
    // A "\r\n" that was cut in two ends one line, not two.
    const rest = this.#afterReturn && text.startsWith("\n") ? text.slice(1) : text;
    this.#afterReturn = text.endsWith("\r");
    return rest.split(/\r\n|\n|\r/);
  }

  #grow(piece: string): void {
    if (piece === "") return;
    this.#lineLength += piece.length;
    if (this.#lineLength > this.#maxLength)
      throw new UnreadableAnswer("The model's stream holds a line without end.");
    this.#line.push(piece);
  }

  #endLine(events: string[]): void {
    const line = this.#line.join("");
    this.#line = [];
    this.#lineLength = 0;
    if (line === "") this.#endEvent(events);
    else if (line.startsWith("data:")) this.#addData(line.slice(line.startsWith("data: ") ? 6 : 5));
  }

  #addData(data: string): void {
    this.#dataLength += data.length + 1;
    if (this.#dataLength > this.#maxLength)
      throw new UnreadableAnswer("The model's stream holds an event without end.");
    this.#data.push(data);
  }

  #endEvent(events: string[]): void {
    if (this.#data.length > 0) events.push(this.#data.join("\n"));
    this.#data = [];
    this.#dataLength = 0;
  }
}
