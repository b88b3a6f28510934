import type { Env } from "./env.js";
import type { SettingName, nodeEnv } from "./setting-names.js";

type Name = SettingName | typeof nodeEnv;

/** Reads settings one by one and collects what is wrong with them, so that all mistakes are told at once. */
export class SettingReader {
  readonly mistakes: string[] = [];
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  text(name: Name): string | null {
    const value = this.#env[name]?.trim();
    return value === undefined || value === "" ? null : value;
  }

  integer(name: Name, range: { default: number; min: number; max: number }): number {
    const text = this.text(name);
    if (text === null) return range.default;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= range.min && value <= range.max) return value;
    this.mistakes.push(`${name} must be a whole number from ${range.min} to ${range.max}; it is "${text}".`);
    return range.default;
  }

  /** A whole number; null for `none` and 0: no bound. */
  bound(name: Name, range: { default: number | null; max: number }): number | null {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return range.default;
    if (text === "none" || text === "0") return null;
    const value = Number(text);
    if (/^\d+$/.test(text) && value <= range.max) return value;
    this.mistakes.push(`${name} must be a whole number up to ${range.max}, or none; it is "${text}".`);
    return range.default;
  }

  flag(name: Name, fallback: boolean): boolean {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    if (["1", "true", "on", "yes"].includes(text)) return true;
    if (["0", "false", "off", "no"].includes(text)) return false;
    this.mistakes.push(`${name} must be 1 or 0; it is "${text}".`);
    return fallback;
  }

  list(name: Name): string[] {
    const items = this.text(name)?.split(",") ?? [];
    return items.map((item) => item.trim()).filter((item) => item !== "");
  }

  /** One of the given words. */
  choice<Choice extends string>(name: Name, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return fallback;
    const found = choices.find((choice) => choice === text);
    if (found === undefined)
      this.mistakes.push(`${name} must be one of ${choices.join(", ")}; it is "${text}".`);
    return found ?? fallback;
  }

  /** An http or https origin: scheme, host and port, nothing behind them. */
  origin(name: Name, text = this.text(name)): URL | null {
    if (text === null) return null;
    const url = URL.canParse(text) ? new URL(text) : null;
    const isOrigin = url !== null && ["", "/"].includes(url.pathname) && url.search === "" && url.hash === "";
    const isAnonymous = url?.username === "" && url.password === "";
    if (isOrigin && isAnonymous && ["http:", "https:"].includes(url.protocol)) return url;
    this.mistakes.push(`${name} must be an http or https address without a path; it ${repeatAddress(text)}.`);
    return null;
  }

  refuse(mistake: string): void {
    this.mistakes.push(mistake);
  }
}

/** A password or a key that was put into an address does not get into the log with the mistake. */
function repeatAddress(text: string): string {
  return /[@?#]/.test(text) ? "holds a user, a query or a fragment" : `is "${text}"`;
}
