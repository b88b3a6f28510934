/** Words that come in pieces, which may be cut in the middle of a character. */
export class Words {
  #text = "";
  /** The first half of a character whose second half has not come yet. */
  #half = "";

  get text(): string {
    return this.#text;
  }

  /** Answers what there is to tell now: whole characters, without NULs, which Postgres can't hold. */
  add(piece: string): string {
    const joined = (this.#half + piece).replaceAll("\0", "");
    this.#half = /[\ud800-\udbff]$/.exec(joined)?.[0] ?? "";
    const whole = joined.slice(0, joined.length - this.#half.length).toWellFormed();
    this.#text += whole;
    return whole;
  }
}
