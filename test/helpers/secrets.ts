import { randomBytes } from "node:crypto";

/** Values that nobody but their owner may see, each under a name that says where it was put. */
export class Secrets {
  readonly #values: [name: string, value: string][] = [];

  /** A text that stands nowhere else: letters and digits alone, so that no way of writing it changes it. */
  mark(name: string): string {
    const value = `zq${randomBytes(9).toString("hex")}qz`;
    this.keep(name, value);
    return value;
  }

  keep(name: string, value: string): void {
    if (value.length < 12) throw new Error(`${name} is too short to be told from chance`);
    this.#values.push([name, value]);
  }

  /** The names of those that the text holds: as they are, in hex, in base64 at any offset, in any case. */
  foundIn(text: string): string[] {
    const lower = text.toLowerCase();
    return this.#values
      .filter(
        ([, value]) =>
          formsOf(value).some((form) => lower.includes(form.toLowerCase())) ||
          base64Of(value).some((form) => text.includes(form)),
      )
      .map(([name]) => name);
  }
}

function formsOf(value: string): string[] {
  // Half of a credential is enough to know whose it is.
  const half = value.slice(Math.floor(value.length / 2));
  return [value, Buffer.from(value).toString("hex"), ...(half.length < 16 ? [] : [half])];
}

/** What is the same of it in base64 wherever the value begins among other bytes. */
function base64Of(value: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    const whole = bytes.subarray(0, bytes.byteLength - (bytes.byteLength % 3));
    return whole.toString("base64").slice(offset === 0 ? 0 : 4);
  });
}
