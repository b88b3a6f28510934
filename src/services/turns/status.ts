/** Where a turn stands. QUEUED and RUNNING are active; the others are ends. */
export type TurnStatus = "QUEUED" | "RUNNING" | "COMPLETED" | "FAILED" | "CANCELLED";

const statuses = ["QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"] as const satisfies TurnStatus[];

/** The status that a row names. Rows are written by this server only, so another word is a fault. */
export function toTurnStatus(word: string): TurnStatus {
  const status = statuses.find((name) => name === word);
  if (status === undefined) throw new Error(`a row names the turn status ${word}`);
  return status;
}

export function isActive(status: TurnStatus): boolean {
  return status === "QUEUED" || status === "RUNNING";
}

/** Whether retryTurn may run it again. */
export function isRetryable(status: TurnStatus): boolean {
  return status === "FAILED" || status === "CANCELLED";
}
