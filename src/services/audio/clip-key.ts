import { extensionOf } from "./clip-format.js";
import type { AudioFormat } from "./clip-format.js";

/** Where the store keeps a clip: a folder for each conversation. */
export function clipKey(conversationId: string, clipId: string, format: AudioFormat): string {
  return `${conversationId}/${clipId}.${extensionOf(format)}`;
}

export function conversationOfKey(key: string): string {
  return key.slice(0, key.indexOf("/"));
}
