import type { DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow, TurnRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { toUserSound } from "../history/load-history.js";
import type { NewMessage } from "../history/types.js";

/** What a turn asks the model, besides the history. */
export interface Question {
  instructions: string | null;
  message: NewMessage;
  /** See the conversation's column; nothing is removed while its turn is active. */
  usableRemoved: number;
}

/**
 * Reads what a turn that was accepted before has asked.
 * @throws ParleyError TURN_NOT_RETRYABLE where the time of its sound was over; never for a turn that is active
 */
export async function readQuestion(
  transaction: DatabaseTransaction,
  { id: turnId }: TurnRow,
  { instructions, usableRemoved }: Pick<ConversationRow, "instructions" | "usableRemoved">,
): Promise<Question> {
  const { text, audio } = await transaction.message.findUniqueOrThrow({
    where: { turnId_role: { turnId, role: "USER" } },
    include: { audio: true },
  });
  if (audio !== null && audio.removedAt !== null) throw soundRemoved();
  return {
    instructions,
    usableRemoved,
    message: { text, sound: audio === null ? null : toUserSound(audio) },
  };
}

function soundRemoved(): ParleyError {
  return new ParleyError(
    "TURN_NOT_RETRYABLE",
    "The sound of this turn was removed, because its time was over, so it can't be asked again.",
  );
}
