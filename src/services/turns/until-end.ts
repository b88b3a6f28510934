import type { DatabaseClient } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { turnNotFound } from "../not-found.js";
import type { TurnRunner } from "./runner.js";
import { isActive, toTurnStatus } from "./status.js";
import type { TurnEnds } from "./turn-ends.js";

export interface UntilEndParts {
  client: DatabaseClient;
  runner: TurnRunner;
  ends: TurnEnds;
}

/**
 * The turn at its end, or as it is after `waitMs`.
 * @throws ParleyError NOT_FOUND where it was deleted meanwhile
 */
export async function untilEnd(parts: UntilEndParts, turn: TurnRow, waitMs: number): Promise<TurnRow> {
  const { ends, runner, client } = parts;
  const look = () => client.turn.findUnique({ where: { id: turn.id } });
  const deadline = Date.now() + waitMs;
  let current: TurnRow | null = turn;
  while (current !== null && isActive(toTurnStatus(current.status))) {
    const leftMs = deadline - Date.now();
    // What was waiting here has been given back, and this server won't hear of its end.
    if (leftMs <= 0 || (runner.isClosing && !runner.isRunning(turn.id))) break;
    const wait = ends.wait(turn.id, leftMs);
    // What does not run here may have ended before the wait began.
    if (!runner.isRunning(turn.id)) {
      current = await look();
      if (current === null || !isActive(toTurnStatus(current.status))) wait.cancel();
    }
    const ended = await wait.ended;
    if (ended !== null) return ended;
    current = await look();
  }
  if (current === null) throw turnNotFound();
  return current;
}
