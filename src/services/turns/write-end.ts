import { setTimeout as delay } from "node:timers/promises";
import { withoutQuotation } from "../../azure/failure-reasons.js";
import type { TurnRow } from "../../db/rows.js";
import type { Logger } from "../../logger.js";
import type { AcceptedTurn, Attempt, AttemptParts } from "./attempt.js";
import { findWritten, finishTurn } from "./finish.js";
import type { Outcome } from "./finish.js";
import { forgetAnswer } from "./forget-answer.js";
import { LeaseLostError } from "./lease.js";
import type { PaidCallsParts } from "./paid-calls.js";

export type WriteEndParts = AttemptParts & PaidCallsParts;

/** Waits between tries to write the end of a turn, in milliseconds: a database that is away for a moment loses nothing. */
const finishDelaysMs = [100, 500, 2_000, 5_000];

/**
 * Writes the end of an attempt, and the log's line of it. Resolves to the turn as it is then.
 * @throws LeaseLostError where the turn is no longer this server's; the answer's sound is gone then
 */
export async function writeEnd(
  parts: WriteEndParts,
  accepted: AcceptedTurn,
  attempt: Attempt,
  outcome: Outcome,
): Promise<TurnRow> {
  const { turn } = accepted;
  try {
    const ended = await write(parts, accepted, attempt, outcome);
    logEnd(parts.logger, turn, outcome);
    return ended;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    // The first write may have been made although its answer was lost.
    const written = await findWritten(parts.client, turn, outcome);
    if (written !== null) return written;
    await forgetAnswer(parts, outcome.answer);
    throw error;
  }
}

/** A database that can't be written now may be there again in a moment. */
async function write(
  parts: WriteEndParts,
  { turn, fence }: AcceptedTurn,
  attempt: Attempt,
  outcome: Outcome,
): Promise<TurnRow> {
  for (const delayMs of finishDelaysMs) {
    try {
      return await finishTurn(parts, turn, fence, outcome);
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      parts.logger.warn(
        { err: error, turnId: turn.id, delayMs },
        "writing the end of a turn failed; trying again",
      );
      await attempt.forgetFiltered();
      await delay(delayMs);
    }
  }
  return finishTurn(parts, turn, fence, outcome);
}

function logEnd(logger: Logger, turn: TurnRow, { end, calls }: Outcome): void {
  const facts = {
    turnId: turn.id,
    attempt: turn.attempt,
    status: end.status,
    requestIds: calls.flatMap(({ providerRequestId }) => providerRequestId ?? []),
  };
  if (end.status === "FAILED")
    logger.warn(
      { ...facts, code: end.error.code, reason: withoutQuotation(end.error.message) },
      "turn failed",
    );
  else logger.info(facts, "turn ended");
}
