import { isRefusal } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { Watched } from "../client/watched.js";
import { authorizationOf } from "../sign-in/sign-in.js";
import type { SignIn } from "../sign-in/sign-in.js";
import { readExport } from "./read-export.js";

export const exportPath = "/export";

/** The name under which the server would have it saved, too. */
const fileName = "parley-export.zip";

/** How long the browser may take to begin to save what it was handed, in milliseconds. */
const savingMs = 60_000;

/** `done`: the browser has it and saves it. */
export type ExportState =
  | { kind: "idle" }
  | { kind: "running"; bytes: number }
  | { kind: "done"; bytes: number }
  | { kind: "failed"; problem: Problem };

/**
 * Downloads everything of the person as whoever has signed in: a link can't say who follows it. It goes on while the person
 * does other things in the page.
 */
export class DataExport {
  readonly state = new Watched<ExportState>({ kind: "idle" });
  readonly #url: string;
  readonly #signIn: SignIn;
  #stopping: AbortController | null = null;

  constructor(origin: string, signIn: SignIn) {
    this.#url = new URL(exportPath, origin).href;
    this.#signIn = signIn;
  }

  async download(): Promise<void> {
    if (this.#stopping !== null) return;
    const stopping = new AbortController();
    this.#stopping = stopping;
    this.state.set({ kind: "running", bytes: 0 });
    const read = await this.#read(stopping.signal);
    // Cancelled, and perhaps begun anew since.
    if (this.#stopping !== stopping) return;
    this.#stopping = null;
    if (read instanceof Blob) save(read);
    this.state.set(
      read instanceof Blob ? { kind: "done", bytes: read.size } : { kind: "failed", problem: read },
    );
  }

  cancel(): void {
    this.#stopping?.abort();
    this.#stopping = null;
    this.state.set({ kind: "idle" });
  }

  /** Where the sign-in is good no more it waits for the next one, as all that the page asks for does. */
  async #read(signal: AbortSignal): Promise<Blob | Problem> {
    for (;;) {
      await this.#signIn.settled();
      const { credential } = this.#signIn;
      const read = await readExport(this.#url, {
        headers: authorizationOf(credential),
        signal,
        onProgress: (bytes) => this.state.set({ kind: "running", bytes }),
      });
      if (read instanceof Blob || signal.aborted || !isRefusal(read)) return read;
      this.#signIn.refuse(credential);
    }
  }
}

function save(file: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), savingMs);
}
