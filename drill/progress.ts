import type { Ledger } from "./ledger.js";

const intervalMs = 1_000;
/** A log is not a screen. */
const plainIntervalMs = 5_000;

/** Tells how far the drill is, on one line that is written over; as lines of a log where nobody watches. */
export class Progress {
  readonly #timer: NodeJS.Timeout;
  readonly #line: () => string;
  readonly #isTty = process.stdout.isTTY;

  constructor(line: () => string) {
    this.#line = line;
    this.#timer = setInterval(() => this.#show(), this.#isTty ? intervalMs : plainIntervalMs);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#show();
    if (this.#isTty) process.stdout.write("\n");
  }

  #show(): void {
    process.stdout.write(this.#isTty ? `\r\u001b[K${this.#line()}` : `${this.#line()}\n`);
  }
}

export function progressLine(ledger: Ledger, startedAt: number, kills: number, of: number): string {
  const seconds = (performance.now() - startedAt) / 1000;
  const tally = [...ledger.tally()].sort().map(([status, count]) => `${count} ${status}`);
  const rate = (ledger.answered / seconds).toFixed(0);
  return `${kills} of ${of} kills, ${ledger.turns.size} turns (${tally.join(", ")}), ${rate} answers/s, ${seconds.toFixed(0)} s`;
}
