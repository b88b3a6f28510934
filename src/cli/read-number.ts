import { UsageError } from "./usage-error.js";

/**
 * Options that a negative number was given to as a word of its own, with the number behind an equals sign. Else
 * parseArgs takes it for an option, and says so instead of what the number may be.
 */
export function joinNegative(args: readonly string[]): string[] {
  return args.reduce<string[]>((joined, arg) => {
    const before = joined.at(-1);
    return /^-\d/.test(arg) && before !== undefined && /^--[a-z-]+$/.test(before)
      ? [...joined.slice(0, -1), `${before}=${arg}`]
      : [...joined, arg];
  }, []);
}

/** The whole number that an option of the command line holds; the fallback where it was not given. */
export function readNumber(
  name: string,
  text: string | undefined,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(`${name} must be a whole number from ${min} to ${max}; it is "${text}".`);
}
