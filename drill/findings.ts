/** What was seen against a rule. */
export interface Violation {
  rule: string;
  what: string;
  turnIds: string[];
}

/** A rule that was looked at, and at how many things. */
export interface Held {
  rule: string;
  count: string;
}

/** Everything that the drill has found, while it ran and at its end. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly held: Held[] = [];
  /** Worth knowing, but no rule is broken. */
  readonly notes: string[] = [];

  violate(rule: string, what: string, ...turnIds: string[]): void {
    this.violations.push({ rule, what, turnIds });
  }

  /** Tells that a rule was looked at. It held where no violation of it is known. */
  looked(rule: string, count: string): void {
    this.held.push({ rule, count });
  }

  broken(rule: string): number {
    return this.violations.filter((violation) => violation.rule === rule).length;
  }
}
