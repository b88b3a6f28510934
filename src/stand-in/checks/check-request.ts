import { gatewayError, invalidRequest, invalidType, missingParameter } from "../protocol-error.js";
import { knowsAudio, type ChatRoute } from "../routes.js";
import { promptTokens } from "../usage.js";
import type { KnownAudio } from "../audio-ids.js";
import type { ChatMessage, ChatOutput, ChatRequest } from "./chat-request.js";
import { isObject, type JsonObject } from "./json.js";
import { readMessages } from "./messages.js";
import { readOutput, readStreamChoice } from "./output.js";
import { readSettings } from "./settings.js";

export interface CheckContext {
  route: ChatRoute;
  voices: readonly string[];
  findAudio: (id: string, deployment: string) => KnownAudio | null;
}

const maxContextTokens = 128_000;

/** Answers the request in the stand-in's own terms, or throws the provider's error for the first mistake in it. */
export function checkRequest(body: unknown, context: CheckContext): ChatRequest {
  if (!isObject(body)) throw invalidType("body", "an object");
  if (!knowsAudio(context.route)) throw versionWithoutAudio(body);
  const deployment = readDeployment(body, context.route);
  const output = readOutput(body, context.voices);
  const streamChoice = readStreamChoice(body, output);
  const settings = readSettings(body);
  const messages = readMessages(body, (id) => context.findAudio(id, deployment));
  checkAudioRule(messages, output);
  const request = { deployment, messages, output, ...streamChoice, ...settings };
  checkContextLength(request);
  return request;
}

function readDeployment(body: JsonObject, route: ChatRoute): string {
  const model = body["model"];
  if (model !== undefined && typeof model !== "string") throw invalidType("model", "a string");
  const deployment = route.deployment ?? model;
  if (deployment === undefined || deployment === "") throw missingParameter("model");
  return deployment;
}

function versionWithoutAudio(body: JsonObject) {
  const unknown = ["modalities", "audio"].find((name) => name in body);
  if (unknown !== undefined) {
    return invalidRequest(`Unrecognized request argument supplied: ${unknown}`, null, null);
  }
  return gatewayError(
    400,
    "OperationNotSupported",
    "The chatCompletion operation does not work with the specified model. Please choose different model and try again.",
  );
}

function checkAudioRule(messages: ChatMessage[], output: ChatOutput): void {
  if (output.kind === "audio" || messages.some((message) => message.clips.length > 0)) return;
  const message = "This model requires that either input content or output modality contain audio.";
  throw invalidRequest(message, "model", "invalid_value");
}

function checkContextLength(request: ChatRequest): void {
  const { text, audio } = promptTokens(request);
  if (text + audio <= maxContextTokens) return;
  throw contextLengthExceeded(text + audio);
}

export function contextLengthExceeded(tokens: number) {
  const message = `This model's maximum context length is ${maxContextTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`;
  return invalidRequest(message, "messages", "context_length_exceeded");
}
