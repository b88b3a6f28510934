import { Remembered } from "../remembered.js";

/**
 * The answer that this tab wants to hear and how far it has heard it, so that a reload goes on where it was. Another tab
 * shows the same words and stays silent.
 */
class Heard {
  readonly #memory = new Remembered("tab", "heard");

  begin(turnId: string): void {
    this.note(turnId, 0);
  }

  note(turnId: string, seconds: number): void {
    this.#memory.write(`${turnId} ${seconds.toFixed(2)}`);
  }

  end(): void {
    this.#memory.write(null);
  }

  /** How far the answer of a turn was heard, in seconds; null where this tab does not want to hear it. */
  of(turnId: string): number | null {
    const [id, seconds] = this.#memory.read()?.split(" ") ?? [];
    return id === turnId ? Number(seconds) : null;
  }
}

export const heard = new Heard();
