/** p50 and p99 of what was measured, in the unit of the samples. */
export interface Spread {
  p50: number;
  p99: number;
}

export function spread(samples: readonly number[]): Spread {
  return { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}

export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Between two readings of `process.hrtime.bigint()`, which all processes of a machine share on Linux. */
export function msBetween(earlier: bigint, later: bigint): number {
  return Number(later - earlier) / 1e6;
}

/** Says on a terminal how far a part has come. */
export function tellProgress(name: string, done: number, of: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(done < of ? `\r${name}: ${done} of ${of}` : "\r\u001b[K");
}

/** The first column to the left, all others to the right. */
export function printTable(
  title: string,
  rows: readonly (readonly string[])[],
  notes: readonly string[],
): void {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) =>
    Math.max(...rows.map((row) => row[index]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join("  "),
  );
  process.stdout.write(`\n${[title, "", ...lines, "", ...notes].join("\n")}\n`);
}

export function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

export function times(value: number): string {
  return `${value.toFixed(2)} x`;
}
