import { Watched } from "../client/watched.js";
import { Remembered } from "../remembered.js";

/**
 * The answer that this tab wants to hear and how far it has heard it, so that a reload goes on where it was. Another tab
 * shows the same words and stays silent.
 */
class Heard {
  readonly #memory = new Remembered("tab", "heard");
  /** The turn whose answer it is; null where there is none. */
  readonly wanted = new Watched<string | null>(null);

  /** Whose answer somebody has stopped; null where there is none. */
  #stopped: string | null = null;

  begin(turnId: string): void {
    this.#stopped = null;
    this.#memory.write(`${turnId} 0`);
    this.wanted.set(turnId);
  }

  /** Unless it was stopped already: an event may have told of the turn long before the answer to the request comes. */
  beginUnlessStopped(turnId: string): void {
    if (turnId !== this.#stopped) this.begin(turnId);
  }

  /** `paused`: somebody has paused it there, so that it does not go on by itself. */
  note(turnId: string, seconds: number, paused = false): void {
    // The sound of an earlier answer may still be heard while the next one has begun.
    if (this.of(turnId) === null) return;
    this.#memory.write(`${turnId} ${seconds.toFixed(2)}${paused ? " paused" : ""}`);
  }

  /** Ends it for good, until somebody asks for it again. */
  stop(turnId: string): void {
    this.#stopped = turnId;
    this.end();
  }

  end(): void {
    this.#memory.write(null);
    this.wanted.set(null);
  }

  /** How far the answer of a turn was heard, in seconds; null where this tab does not want to hear it. */
  of(turnId: string): number | null {
    const [id, seconds] = this.#read();
    return id === turnId ? Number(seconds) : null;
  }

  isPaused(turnId: string): boolean {
    const [id, , paused] = this.#read();
    return id === turnId && paused !== undefined;
  }

  #read(): string[] {
    return this.#memory.read()?.split(" ") ?? [];
  }
}

export const heard = new Heard();
