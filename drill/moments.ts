import type { ServerRun } from "./server-run.js";

/**
 * Points in the life of a turn at which a server can be killed. `uploading`: a piece of a file was sent. `sent`: a
 * text turn was. `accepted`: the answer said that it is kept. `asked`: the whole request has come to the model.
 * `answering`: the first sound or words were sent back. `answered`: the last were.
 */
export type MomentName = "uploading" | "sent" | "accepted" | "asked" | "answering" | "answered";

export interface Moment {
  server: ServerRun;
  /** Lets an answer go on that is held for the kill; does nothing for the other moments. */
  letGo: () => void;
}

interface Waiting {
  name: MomentName;
  from: number;
  resolve: (moment: Moment) => void;
}

/** Where clients and the model tell what is happening, and the one who kills waits for it. */
export class Moments {
  #waiting: Waiting | null = null;

  /** The next such moment, or the first that has come as far as `from` (0 to 1). Null after `timeoutMs`. */
  next(name: MomentName, from: number, timeoutMs: number): Promise<Moment | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting = null;
        resolve(null);
      }, timeoutMs);
      const take = (moment: Moment) => {
        clearTimeout(timer);
        resolve(moment);
      };
      this.#waiting = { name, from, resolve: take };
    });
  }

  /** Answers whether it was waited for: the server will be killed. */
  reach(
    name: MomentName,
    server: ServerRun,
    { progress = 1, letGo = nothing }: { progress?: number; letGo?: () => void } = {},
  ): boolean {
    const waiting = this.#waiting;
    if (waiting === null || waiting.name !== name || progress < waiting.from || server.dead) return false;
    this.#waiting = null;
    waiting.resolve({ server, letGo });
    return true;
  }
}

function nothing(): void {
  // Nothing is held.
}
