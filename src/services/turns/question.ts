import type { DatabaseTransaction } from "../../db/database.js";
import type { ConversationRow, TurnRow } from "../../db/rows.js";
import { toUserSound } from "../history/load-history.js";
import type { NewMessage } from "../history/types.js";

/** What a turn asks the model, besides the history. */
export interface Question {
  instructions: string | null;
  message: NewMessage;
}

/** Reads what a turn that was accepted before has asked. */
export async function readQuestion(
  transaction: DatabaseTransaction,
  { id: turnId }: TurnRow,
  { instructions }: Pick<ConversationRow, "instructions">,
): Promise<Question> {
  const { text, audio } = await transaction.message.findUniqueOrThrow({
    where: { turnId_role: { turnId, role: "USER" } },
    include: { audio: true },
  });
  return { instructions, message: { text, sound: audio === null ? null : toUserSound(audio) } };
}
