import { extensionOf, toAudioFormat } from "./clip-format.js";

/** The name under which a clip is served: the extension is for players that go by it. */
export function clipFileName(clip: { id: string; format: string }): string {
  return `${clip.id}.${extensionOf(toAudioFormat(clip.format))}`;
}

/** Where a clip is served. `origin` has no slash at its end. */
export function clipUrl(origin: string, clip: { id: string; format: string }): string {
  return `${origin}/audio/${clipFileName(clip)}`;
}
