/**
 * Reads the JSON parts of a multipart/mixed body as they come, up to its last boundary.
 * @throws where the body is cut short
 */
export async function* readParts(body: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator {
  const decoder = new TextDecoder();
  // Boundaries stand at the beginning of a line, which no JSON can hold inside of it.
  const delimiter = `\r\n--${boundary}`;
  let text = "\r\n";
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const pieces = text.split(delimiter);
    text = pieces.pop() ?? "";
    for (const part of pieces.map(parsePart)) if (part !== null) yield part;
    if (text.startsWith("--")) return;
    // A part ends with the boundary of the next one; a server may hold that back until there is one.
    const early = parsePart(text);
    if (early === null) continue;
    // The beginning of that boundary may have come with it.
    text = /\s*$/.exec(text)?.[0] ?? "";
    yield early;
  }
  throw new Error("the body was cut short");
}

/** The boundary of a multipart content type; null where it is none. */
export function boundaryOf(contentType: string): string | null {
  if (!/^multipart\/mixed\b/i.test(contentType)) return null;
  return /;\s*boundary="?([^";]+)"?/i.exec(contentType)?.[1] ?? "-";
}

/** Null where the piece is no whole part. */
function parsePart(piece: string): unknown {
  const start = piece.indexOf("\r\n\r\n");
  const json = start < 0 ? "" : piece.slice(start + 4).trim();
  if (json === "") return null;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return null;
  }
}
