import type { MessageRow, TurnRow } from "../db/rows.js";
import type {
  ReplySettingsResolvers,
  TurnConnectionResolvers,
  TurnErrorCode,
  TurnResolvers,
} from "../schema/generated/types.js";
import { replyOf } from "../services/turns/reply.js";
import { toTurnStatus } from "../services/turns/status.js";
import { connection } from "./connection.js";
import { pcmByteLengthOf } from "../services/live/read-answer.js";
import { encodePosition, endOf, startOf } from "../services/live/position.js";
import type { RequestContext } from "./request-context.js";
import { present } from "./present.js";

export const turn: TurnResolvers = {
  conversation: async ({ conversationId }, _arguments, { loaders }) =>
    present(await loaders.conversation.load(conversationId)),
  status: ({ status }) => toTurnStatus(status),
  userMessage: async ({ id }, _arguments, context) => present(await messageOf(context, id, "USER")),
  assistantMessage: ({ id }, _arguments, context) => messageOf(context, id, "ASSISTANT"),
  error: (row) => turnError(row),
  finishReason: ({ finishReason }) =>
    finishReason === "STOP" || finishReason === "LENGTH" ? finishReason : null,
  reply: (row) => replyOf(row),
  usage: ({ id }, _arguments, { loaders }) => loaders.usageOfTurn.load(id),
  eventCursor: (row, _arguments, context) => eventCursor(row, context),
};

export const turnConnection: TurnConnectionResolvers = connection;

export const replySettings: ReplySettingsResolvers = {
  modalities: ({ sound }) => (sound ? ["TEXT", "AUDIO"] : ["TEXT"]),
};

async function messageOf(
  { loaders }: RequestContext,
  turnId: string,
  role: string,
): Promise<MessageRow | null> {
  const messages = await loaders.messagesOfTurn.load(turnId);
  return messages.find((message) => message.role === role) ?? null;
}

/** Where somebody is who has read the words and the sound that this request has read. */
async function eventCursor(row: TurnRow, context: RequestContext): Promise<string> {
  const { id, attempt } = row;
  const status = toTurnStatus(row.status);
  if (status !== "RUNNING") {
    const phase = status === "QUEUED" ? "accepted" : "ended";
    return encodePosition(id, { ...startOf(attempt), phase });
  }
  const answer = await messageOf(context, id, "ASSISTANT");
  const clip = answer === null ? null : await context.loaders.clipOfMessage.load(answer.id);
  const [text, transcript] = [answer?.text ?? "", answer?.transcript ?? ""];
  const audioByteLength = clip === null ? 0 : pcmByteLengthOf(clip);
  return encodePosition(id, endOf({ attempt, status, text, transcript, audioByteLength }));
}

const errorCodes = {
  CONTENT_FILTERED: true,
  CONTEXT_TOO_LONG: true,
  PROVIDER_RATE_LIMITED: true,
  PROVIDER_UNAVAILABLE: true,
  PROVIDER_TIMEOUT: true,
  PROVIDER_REJECTED: true,
  PROVIDER_AUTH_FAILED: true,
  PROVIDER_DEPLOYMENT_NOT_FOUND: true,
  ANSWER_INCOMPLETE: true,
  INTERRUPTED: true,
  INTERNAL: true,
} as const satisfies Record<TurnErrorCode, true>;

function turnError({ errorCode, errorMessage, errorRetryable, errorRetryAfter }: TurnRow) {
  if (errorCode === null) return null;
  const code: TurnErrorCode = isErrorCode(errorCode) ? errorCode : "INTERNAL";
  return {
    code,
    message: errorMessage ?? "",
    retryable: errorRetryable ?? false,
    retryAfter: errorRetryAfter,
  };
}

function isErrorCode(code: string): code is TurnErrorCode {
  return Object.hasOwn(errorCodes, code);
}
