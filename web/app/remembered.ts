const prefix = "parley.";

type Kind = "tab" | "browser";

/** What a browser remembers for the page; where storage is blocked or full, it remembers nothing. */
export class Remembered {
  readonly #storage: () => Storage;
  readonly #key: string;

  constructor(kind: Kind, key: string) {
    this.#storage = () => storageOf(kind);
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

/** Forgets all that this tab, or the whole browser, remembers for the page. */
export function forget(kind: Kind): void {
  try {
    const storage = storageOf(kind);
    for (const key of Object.keys(storage)) if (key.startsWith(prefix)) storage.removeItem(key);
  } catch {
    // Then there is nothing to be forgotten.
  }
}

/** Even to name it is an error where it is blocked. */
function storageOf(kind: Kind): Storage {
  return kind === "tab" ? sessionStorage : localStorage;
}
