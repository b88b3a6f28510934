import type { Memory } from "./child.js";

/** What a process takes, at rest. */
export interface Use extends Memory {
  /** Null where the system does not tell. */
  openFiles: number | null;
  /** How many inputs it had taken by then. */
  fed: number;
}

const mebibyte = 1024 * 1024;

/** Caches (Apollo keeps documents up to 30 MiB) and the allocator's own pages fill up; a leak goes beyond. */
const bounds = { heapBytes: 48 * mebibyte, rssBytes: 160 * mebibyte, openFiles: 32 } as const;

/** What has grown beyond its bound between two moments of rest. */
export function judgeUse(before: Use, after: Use): string[] {
  return (["heapBytes", "rssBytes", "openFiles"] as const).flatMap((name) => {
    const [from, to] = [before[name], after[name]];
    if (from === null || to === null || to - from <= bounds[name]) return [];
    return [`${name} grew from ${from} to ${to} in ${after.fed - before.fed} inputs`];
  });
}

export function describeUse({ heapBytes, rssBytes, openFiles }: Use): string {
  const inMebibytes = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`;
  const files = openFiles === null ? "" : `, ${openFiles} open files`;
  return `heap ${inMebibytes(heapBytes)}, RSS ${inMebibytes(rssBytes)}${files}`;
}
