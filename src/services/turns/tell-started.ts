import type { DatabaseClient } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import type { Logger } from "../../logger.js";
import { recordEvent } from "../live/conversation-log.js";
import type { WakeUps } from "../live/wake-ups.js";
import { takeConversation } from "./finish.js";
import { LeaseLostError } from "./lease.js";

export interface TellStartedParts {
  client: DatabaseClient;
  wakeUps: WakeUps;
  logger: Logger;
}

/**
 * Tells those who listen that a turn has started. The model is not kept waiting for it, and the turn's end is told in any
 * case. Not fenced: the event says only that there is something to look at, which is true whoever runs the turn by then.
 */
export async function tellStarted(parts: TellStartedParts, turn: TurnRow): Promise<void> {
  const { client, wakeUps, logger } = parts;
  wakeUps.publish(`turn ${turn.id}`);
  try {
    await client.$transaction(async (transaction) => {
      const conversation = await takeConversation(transaction, turn, null);
      await recordEvent(transaction, conversation, "TURN", turn.id);
    });
    wakeUps.publish(`owner ${turn.ownerId}`);
  } catch (error) {
    if (error instanceof LeaseLostError) return;
    logger.warn({ err: error, turnId: turn.id }, "could not tell that a turn has started");
  }
}
