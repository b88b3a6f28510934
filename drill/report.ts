import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Facts } from "./facts.js";
import type { Findings, Violation } from "./findings.js";
import type { Ledger } from "./ledger.js";
import type { Model } from "./model.js";

const most = 10;

/** The rules and what was seen against them, for a terminal. */
export function describeFindings(findings: Findings): string {
  const names = new Set([
    ...findings.held.map(({ rule }) => rule),
    ...findings.violations.map(({ rule }) => rule),
  ]);
  const lines = [...names].map((rule) => describeRule(rule, findings));
  const notes = findings.notes.map((note) => `  note  ${note}`);
  return [...lines, ...notes].join("\n");
}

function describeRule(rule: string, { held, violations }: Findings): string {
  const counts = held.filter((one) => one.rule === rule).map(({ count }) => count);
  const against = violations.filter((violation) => violation.rule === rule);
  const head = `  ${against.length === 0 ? "ok   " : "BROKEN"} ${rule}${counts.length > 0 ? `: ${counts.join("; ")}` : ""}`;
  const more = against.length > most ? [`           and ${against.length - most} more`] : [];
  return [head, ...against.slice(0, most).map(describeViolation), ...more].join("\n");
}

function describeViolation({ what, turnIds }: Violation): string {
  return `           ${what.slice(0, 600)}${turnIds.length > 0 ? ` (${turnIds.join(", ")})` : ""}`;
}

/** Everything that is needed to find out what happened, as files of the kept folder. */
export function writeEvidence(
  folder: string,
  {
    findings,
    ledger,
    model,
    facts,
  }: { findings: Findings; ledger: Ledger; model: Model; facts: Facts | null },
): void {
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, `${name}.json`), JSON.stringify(value, replacer, 1));
  write("violations", findings.violations);
  write("model", Object.fromEntries(model.asked));
  write("clients", [...ledger.turns.values()]);
  if (facts !== null) write("rows", facts.tables);
}

function replacer(name: string, value: unknown): unknown {
  if (name === "conversation" && typeof value === "object" && value !== null && "id" in value)
    return value.id;
  return typeof value === "bigint" ? Number(value) : value;
}
