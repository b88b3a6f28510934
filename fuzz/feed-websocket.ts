import { Connection } from "./connection.js";
import { encodeFrame, readFrames } from "./frames.js";
import type { Frame } from "./frames.js";
import { isJson } from "./judge.js";
import { fillIn } from "./scene.js";
import type { Scene } from "./scene.js";
import { patienceMs } from "./server-target.js";

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const ping = encodeFrame({ first: 0x89, payload: Buffer.from("fuzz") });
const goodBye = encodeFrame({ first: 0x88, payload: Buffer.of(0x03, 0xe8) });
/** How long the answer to a last ping is waited for: a message that has no end swallows it. */
const graceMs = 60;

/** Those of docs/limits.md, and 1000, with which a server takes leave of who has taken leave. */
const closeCodes = new Set([1000, 1001, 1002, 1007, 1009, 4400, 4401, 4403, 4406, 4408, 4409, 4429]);

/** Opens a socket, sends the frames and leaves. */
export async function feedWebSocket(input: Uint8Array, scene: Scene): Promise<string | null> {
  const connection = new Connection(scene);
  try {
    connection.send(handshake(scene));
    const isOpen = () => Buffer.from(connection.received).includes("\r\n\r\n");
    if (!(await connection.until(isOpen, patienceMs))) return `no answer to a handshake in ${patienceMs} ms`;
    const head = Buffer.from(connection.received).indexOf("\r\n\r\n") + 4;
    if (!Buffer.from(connection.received).toString("latin1").startsWith("HTTP/1.1 101"))
      return "no socket was opened";
    const received = () => connection.received.subarray(head);
    return await talk(connection, fillFrames(input, scene), received);
  } finally {
    connection.destroy();
  }
}

async function talk(
  connection: Connection,
  sent: Uint8Array,
  received: () => Uint8Array,
): Promise<string | null> {
  connection.send(sent);
  connection.send(ping);
  await connection.until(() => readFrames(received()).frames.some(isPongOrClose), graceMs);
  connection.send(goodBye);
  connection.end();
  if (!(await connection.until(() => connection.isClosed, patienceMs))) {
    return `the socket was still open ${patienceMs} ms after its client had left`;
  }
  return judgeFrames(received(), sent);
}

function isPongOrClose({ first }: Frame): boolean {
  return (first & 0x0f) === opcodes.pong || (first & 0x0f) === opcodes.close;
}

/** What is wrong with what a server has sent after the handshake, to a client that has sent this; null where nothing is. */
export function judgeFrames(received: Uint8Array, sent: Uint8Array): string | null {
  for (const frame of readFrames(received).frames) {
    const wrong = judgeFrame(frame, sent);
    if (wrong !== null) return wrong;
  }
  return null;
}

function judgeFrame({ first, masked, payload }: Frame, sent: Uint8Array): string | null {
  if (masked) return "a masked frame";
  switch (first) {
    case 0x80 | opcodes.text:
      return judgeText(Buffer.from(payload).toString("utf8"));
    case 0x80 | opcodes.close:
      return judgeClose(Buffer.from(payload), sent);
    case 0x80 | opcodes.ping:
    case 0x80 | opcodes.pong:
      return null;
    default:
      return `a frame that begins with ${first}`;
  }
}

/** Who closes with a code of its own gets that one back. */
function judgeClose(payload: Buffer, sent: Uint8Array): string | null {
  const code = payload.byteLength < 2 ? 1000 : payload.readUInt16BE(0);
  const isEcho = Buffer.from(sent).includes(payload.subarray(0, 2));
  return closeCodes.has(code) || isEcho ? null : `closed with ${code}: ${payload.toString("utf8", 2)}`;
}

function judgeText(text: string): string | null {
  if (!isJson(text)) return `a message that is no JSON: ${text.slice(0, 300)}`;
  return text.includes('"code":"INTERNAL_SERVER_ERROR"') ? text.slice(0, 600) : null;
}

function handshake({ host }: Scene): Buffer {
  return Buffer.from(
    [
      "GET /graphql HTTP/1.1",
      `host: ${host}`,
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol: graphql-transport-ws",
      "\r\n",
    ].join("\r\n"),
  );
}

/** Placeholders are of another length than what they stand for, so frames that hold them are made again. */
function fillFrames(input: Uint8Array, scene: Scene): Uint8Array {
  const { frames, rest } = readFrames(input);
  const filled = frames.map(({ first, payload, encoded }) => {
    const text = fillIn(payload, scene);
    return text.equals(payload) ? encoded : encodeFrame({ first, payload: text });
  });
  return Buffer.concat([...filled, rest]);
}
