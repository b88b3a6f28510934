import type { Config } from "../../config/config.js";
import type { DatabaseTransaction } from "../../db/database.js";
import type { TurnRow } from "../../db/rows.js";
import { loadHistory } from "../history/load-history.js";
import type { RequestFacts } from "../history/types.js";
import type { ModelTarget } from "./model-target.js";
import type { Question } from "./question.js";
import { replyOf } from "./reply.js";

export interface RequestParts {
  target: ModelTarget;
  history: Config["history"];
}

/** Reads everything that decides what is sent to the model for a turn. */
export async function readRequestFacts(
  client: DatabaseTransaction,
  turn: TurnRow,
  { usableRemoved, ...question }: Question,
  { target, history }: RequestParts,
): Promise<RequestFacts> {
  return {
    ...question,
    ...(await loadHistory(client, turn.conversationId, turn.position, history.maxTokens, usableRemoved)),
    replyWithSound: replyOf(turn).sound,
    now: new Date(),
    endpoint: target.endpoint,
    deployment: target.deployment,
    bounds: history,
    withoutAudioIds: false,
    lostSound: new Set(),
  };
}
