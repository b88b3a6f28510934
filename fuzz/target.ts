import type { Child } from "./child.js";

/** What is fed: a process, and how an input gets into it. */
export interface Target {
  readonly child: Child;
  /** How many inputs may be under way at once. */
  readonly concurrency: number;
  /** Resolves to what was wrong with how the input was taken; null where nothing was. */
  feed(input: Uint8Array): Promise<string | null>;
  /** Waits until what the inputs have begun has ended, as far as it is to end. */
  rest(): Promise<void>;
  close(): Promise<void>;
}
