/** One answer of an HTTP/1.1 server, as it came. */
export interface HttpAnswer {
  status: number;
  /** By their names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: Uint8Array;
}

export interface ReadAnswers {
  answers: HttpAnswer[];
  /** What has come of an answer that is not whole yet. */
  rest: Uint8Array;
  /** Of the answer that is not whole yet: its head, where that has come. */
  open: Pick<HttpAnswer, "status" | "headers"> | null;
}

/** What came is no HTTP; the message says why. */
export class MalformedAnswer extends Error {
  override readonly name = "MalformedAnswer";
}

/**
 * Reads what a server has sent on a connection. Methods decide about bodies: what answers HEAD has none.
 * @param methods of the requests, in their order; GET where there are more answers
 * @param ended whether nothing more can come, so that a body without a length is whole
 * @throws MalformedAnswer
 */
export function readAnswers(bytes: Uint8Array, methods: readonly string[], ended: boolean): ReadAnswers {
  const answers: HttpAnswer[] = [];
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let finals = 0;
  while (rest.byteLength > 0) {
    const head = readHead(rest);
    if (head === null) return { answers, rest, open: null };
    const behind = rest.subarray(head.byteLength);
    const found = hasNoBody(head.status, methods[finals] ?? "GET")
      ? { body: behind.subarray(0, 0), byteLength: 0 }
      : readBody(behind, head.headers, ended);
    if (found === null) return { answers, rest, open: head };
    answers.push({ status: head.status, headers: head.headers, body: found.body });
    if (head.status >= 200) finals += 1;
    rest = behind.subarray(found.byteLength);
  }
  return { answers, rest, open: null };
}

function hasNoBody(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || method === "HEAD";
}

function readHead(bytes: Buffer): (Omit<HttpAnswer, "body"> & { byteLength: number }) | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) {
    if (bytes.byteLength >= 9 && !bytes.toString("latin1").startsWith("HTTP/1.1 ")) {
      throw new MalformedAnswer(`no status line: ${bytes.toString("latin1", 0, 100)}`);
    }
    return null;
  }
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(first)?.[1];
  if (status === undefined) throw new MalformedAnswer(`no status line: ${first.slice(0, 100)}`);
  return { status: Number(status), headers: readHeaders(lines), byteLength: end + 4 };
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] =
      /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)$/.exec(line) ?? [];
    if (name === "") throw new MalformedAnswer(`no header: ${line.slice(0, 100)}`);
    const isTwice = headers.has(name.toLowerCase()) && name.toLowerCase() !== "vary";
    if (isTwice) throw new MalformedAnswer(`a header that is there twice: ${name}`);
    headers.set(name.toLowerCase(), value);
  }
  if (headers.has("content-length") && headers.has("transfer-encoding")) {
    throw new MalformedAnswer("both a length and chunks");
  }
  return headers;
}

type Found = { body: Uint8Array; byteLength: number } | null;

function readBody(bytes: Buffer, headers: ReadonlyMap<string, string>, ended: boolean): Found {
  if (headers.get("transfer-encoding") === "chunked") return readChunks(bytes);
  const length = headers.get("content-length");
  if (length === undefined) return ended ? { body: bytes, byteLength: bytes.byteLength } : null;
  if (!/^\d{1,12}$/.test(length)) throw new MalformedAnswer(`no length: ${length}`);
  if (bytes.byteLength < Number(length)) return null;
  return { body: bytes.subarray(0, Number(length)), byteLength: Number(length) };
}

function readChunks(bytes: Buffer): Found {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", offset);
    if (lineEnd < 0) return null;
    const size = /^[\da-f]{1,8}$/i.exec(bytes.toString("latin1", offset, lineEnd))?.[0];
    if (size === undefined) throw new MalformedAnswer("a chunk without a size");
    const start = lineEnd + 2;
    const end = start + Number.parseInt(size, 16);
    if (bytes.byteLength < end + 2) return null;
    if (bytes.toString("latin1", end, end + 2) !== "\r\n")
      throw new MalformedAnswer("a chunk of another size");
    if (end === start) return { body: Buffer.concat(pieces), byteLength: end + 2 };
    pieces.push(bytes.subarray(start, end));
    offset = end + 2;
  }
}
