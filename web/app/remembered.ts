/** What a browser remembers for the page; where storage is blocked or full, it remembers nothing. */
export class Remembered {
  readonly #storage: () => Storage;
  readonly #key: string;

  constructor(kind: "tab" | "browser", key: string) {
    this.#storage = () => (kind === "tab" ? sessionStorage : localStorage);
    this.#key = `parley.${key}`;
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
