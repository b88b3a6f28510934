import { UnreadableAnswer } from "./interruptions.js";

/** What a piece of base64 left over: characters short of a group of four, bytes short of a frame. */
export interface Base64Rest {
  readonly characters: string;
  readonly bytes: Uint8Array;
}

export const noRest: Base64Rest = { characters: "", bytes: new Uint8Array() };

/**
 * The bytes of base64 that comes in pieces cut anywhere, each piece padded or not, in whole frames of
 * `frameByteLength` (2 for 16-bit samples). Throws UnreadableAnswer for anything else than base64.
 */
export function decodeBase64(
  rest: Base64Rest,
  text: string,
  frameByteLength: number,
): { bytes: Uint8Array; rest: Base64Rest } {
  const characters = rest.characters + text;
  const groupsEnd = characters.length - (characters.length % 4);
  const decoded = decodeGroups(characters.slice(0, groupsEnd));
  const bytes = rest.bytes.byteLength === 0 ? decoded : Buffer.concat([rest.bytes, decoded]);
  const framesEnd = bytes.byteLength - (bytes.byteLength % frameByteLength);
  return {
    bytes: bytes.subarray(0, framesEnd),
    // Copied: a view would keep the whole piece alive.
    rest: { characters: characters.slice(groupsEnd), bytes: Uint8Array.from(bytes.subarray(framesEnd)) },
  };
}

// Padding may stand in the middle, where one piece ended and the next began: Buffer would stop reading there.
function decodeGroups(text: string): Uint8Array {
  if (/[^A-Za-z0-9+/=]/.test(text)) throw notBase64();
  const parts: Buffer[] = [];
  let start = 0;
  while (start < text.length) {
    const end = segmentEnd(text, start);
    parts.push(Buffer.from(text.slice(start, end), "base64"));
    start = end;
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

function segmentEnd(text: string, start: number): number {
  const padding = text.indexOf("=", start);
  if (padding === -1) return text.length;
  const end = padding + (text[padding + 1] === "=" ? 2 : 1);
  if (end % 4 !== 0) throw notBase64();
  return end;
}

function notBase64(): UnreadableAnswer {
  return new UnreadableAnswer("The sound of the model's answer is no base64.");
}
