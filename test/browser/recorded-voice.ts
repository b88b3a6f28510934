import { encodeChannels } from "./stereo-wav.js";
import { startedConversation } from "../helpers/operations.js";
import type { TestParley } from "../helpers/parley.js";

const addTurn = `mutation ($input: AddTextTurnInput!) {
  addTextTurn(input: $input) { turn { assistantMessage { audio { url } } } }
}`;
interface Spoken {
  addTextTurn: { turn: { assistantMessage: { audio: { url: string } } } };
}

/** Somebody who asks a question, as Chromium's fake microphone takes it: WAV, 48 kHz, two channels. */
export async function recordedVoice(parley: TestParley): Promise<Uint8Array> {
  const conversationId = await startedConversation(parley);
  const text = 'Say "Is a golden retriever a good family dog?"';
  const { addTextTurn } = await parley.ask<Spoken>(addTurn, { input: { conversationId, text } });
  const response = await fetch(addTextTurn.turn.assistantMessage.audio.url);
  return encodeChannels(new Uint8Array(await response.arrayBuffer()));
}
