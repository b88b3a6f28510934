const prefix = "parley.";

/** What a browser remembers for the page; where storage is blocked or full, it remembers nothing. */
export class Remembered {
  readonly #storage: () => Storage;
  readonly #key: string;

  constructor(kind: "tab" | "browser", key: string) {
    this.#storage = () => (kind === "tab" ? sessionStorage : localStorage);
    this.#key = prefix + key;
  }

  read(): string | null {
    try {
      return this.#storage().getItem(this.#key);
    } catch {
      return null;
    }
  }

  write(value: string | null): void {
    try {
      if (value === null || value === "") this.#storage().removeItem(this.#key);
      else this.#storage().setItem(this.#key, value);
    } catch {
      // Then the page works without a memory.
    }
  }
}

/** Forgets all that this tab remembers for the page. */
export function forgetTab(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
  } catch {
    // Then there is nothing to be forgotten.
  }
}
