import { buffer } from "node:stream/consumers";
import type { AudioClipResolvers, MessageResolvers } from "../schema/generated/types.js";
import { mimeTypeOf, toAudioFormat } from "../services/audio/clip-format.js";
import { present } from "./present.js";

export const message: MessageResolvers = {
  role: ({ role }) => (role === "USER" ? "USER" : "ASSISTANT"),
  turn: async ({ turnId }, _arguments, { loaders }) => present(await loaders.turn.load(turnId)),
  content: ({ text, transcript }) => text ?? transcript,
  audio: async ({ id }, _arguments, { loaders }) => {
    const clip = await loaders.clipOfMessage.load(id);
    return clip?.removedAt === null ? clip : null;
  },
  audioRemovedAt: async ({ id }, _arguments, { loaders }) =>
    (await loaders.clipOfMessage.load(id))?.removedAt ?? null,
};

export const audioClip: AudioClipResolvers = {
  message: async ({ messageId }, _arguments, { loaders }) => present(await loaders.message.load(messageId)),
  url: (clip, _arguments, { app, origin, viewer }) => app.audioUrls.urlOf(origin, viewer.id, clip),
  format: ({ format }) => toAudioFormat(format),
  mimeType: ({ format }) => mimeTypeOf(toAudioFormat(format)),
  base64: async ({ storageKey, byteLength }, _arguments, { app }) => {
    if (byteLength > app.capabilities.maxBase64Bytes) return null;
    const bytes = await app.store.read(storageKey);
    return bytes === null ? null : (await buffer(bytes)).toString("base64");
  },
};
