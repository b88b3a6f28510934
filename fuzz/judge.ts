import type { HttpAnswer } from "./http-answers.js";

/** What the server must never say of itself, whatever is sent. */
const faultCode = "INTERNAL_SERVER_ERROR";

/** 503 is documented: for /readyz, and while a server shuts down. */
const allowedFaults = new Set([503]);

/** What is wrong with an answer; null where nothing is. */
export function judgeAnswer({ status, headers, body }: HttpAnswer): string | null {
  if (status >= 500 && !allowedFaults.has(status)) return `an answer of ${status}: ${textOf(body)}`;
  // A page's script may name the code.
  const type = headers.get("content-type") ?? "";
  if (!/json|multipart/.test(type)) return null;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  if (text.includes(`"code":"${faultCode}"`)) return `${faultCode}: ${textOf(body)}`;
  if (type.startsWith("application/json") && body.byteLength > 0 && !isJson(text)) {
    return `an answer that is no JSON: ${textOf(body)}`;
  }
  return null;
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 600)).toString("utf8");
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const plainLine = /^(GET|HEAD|POST|PUT|OPTIONS|DELETE|PATCH) \/[\w./?=&%-]* HTTP\/1\.1$/;
const plainHeader = /^[\w-]+: ?[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/;
const changesForm = /^(transfer-encoding|upgrade|expect|connection)$/i;

/** Below the server's limit, beyond which it does not look who asks for what. */
const mostHeadBytes = 15_000;

/** The method of a request that is whole beyond doubt, so that an answer must come; null for all else. */
export function methodOfWholeRequest(lines: readonly string[], bodyByteLength: number | null): string | null {
  const [first = "", ...headers] = lines;
  const method = plainLine.exec(first)?.[1];
  if (method === undefined || bodyByteLength === null) return null;
  if (lines.join("\r\n").length > mostHeadBytes) return null;
  if (!headers.every((line) => plainHeader.test(line))) return null;
  const named = headers.map((line) => line.slice(0, line.indexOf(":")).toLowerCase());
  if (named.some((name) => changesForm.test(name))) return null;
  const lengths = headers
    .filter((line) => /^content-length:/i.test(line))
    .map((line) => line.slice(15).trim());
  const whole = lengths.length === 0 ? bodyByteLength === 0 : lengths.join() === String(bodyByteLength);
  return whole ? method : null;
}
