import { ParleyError } from "../../errors.js";

/**
 * Decodes standard base64 with padding (RFC 4648, section 4), strictly: Node's decoder would pass over anything else.
 * @throws ParleyError AUDIO_TOO_LARGE above `maxBytes` decoded, BAD_USER_INPUT for text that is not base64
 */
export function decodeBase64(text: string, maxBytes: number): Buffer {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const byteLength = (text.length / 4) * 3 - padding;
  if (byteLength > maxBytes) {
    throw new ParleyError(
      "AUDIO_TOO_LARGE",
      `base64 may hold at most ${maxBytes} bytes when decoded. Send a larger file as an Upload (a multipart request).`,
    );
  }
  const bytes = Buffer.from(text, "base64");
  // A faithful round trip is the test: no stray characters, no missing padding, no bits left over.
  if (text.length % 4 !== 0 || bytes.byteLength !== byteLength || bytes.toString("base64") !== text) {
    throw new ParleyError(
      "BAD_USER_INPUT",
      "audio.base64 must be standard base64 with padding, without a data: prefix and without line breaks.",
    );
  }
  return bytes;
}
