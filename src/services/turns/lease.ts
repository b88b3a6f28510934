import type { TurnRow } from "../../db/rows.js";

/** Who runs a turn, and until when others leave it alone. */
export interface Lease {
  owner: string;
  expiresAt: Date;
}

/** The right to write to a turn: every write of a runner names all three, so that one that lost its lease changes nothing. */
export interface Fence {
  id: string;
  attempt: number;
  leaseOwner: string;
}

export function fenceOf(turn: TurnRow, lease: Lease): Fence {
  return { id: turn.id, attempt: turn.attempt, leaseOwner: lease.owner };
}

/** Another server has taken the turn over, or it is gone with its conversation. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}
