import { encodeFrame } from "../frames.js";
import { operations } from "./operations.js";

const text = 0x81;
const frame = (payload: string | Uint8Array, first = text) =>
  encodeFrame({ first, payload: Buffer.from(payload) });
const message = (value: unknown) => frame(JSON.stringify(value));
const init = message({ type: "connection_init", payload: {} });
const subscribe = (id: string, payload: unknown) => message({ id, type: "subscribe", payload });
const typename = { query: "{ __typename }" };

export function webSocketSeeds(): Record<string, Uint8Array> {
  const sessions = Object.entries(operations).map(([name, operation]): [string, Uint8Array] => [
    `run-${name}`,
    Buffer.concat([init, subscribe("1", operation), message({ id: "1", type: "complete" })]),
  ]);
  return {
    ...Object.fromEntries(sessions),
    init,
    "init-twice": Buffer.concat([init, init]),
    "without-init": subscribe("1", typename),
    pings: Buffer.concat([
      init,
      message({ type: "ping" }),
      message({ type: "pong", payload: { a: 1 } }),
      frame("p", 0x89),
      frame("", 0x8a),
    ]),
    "same-id": Buffer.concat([init, subscribe("1", operations["viewer-events"]), subscribe("1", typename)]),
    "many-ids": Buffer.concat([
      init,
      ...Array.from({ length: 20 }, (_, id) => subscribe(String(id), typename)),
    ]),
    fragments: Buffer.concat([
      init,
      frame('{"type":', 0x01),
      frame("", 0x89),
      frame('"pi', 0x00),
      frame('ng"}', 0x80),
    ]),
    binary: Buffer.concat([init, frame('{"type":"ping"}', 0x82)]),
    "not-utf-8": Buffer.concat([init, frame(Buffer.of(0x22, 0xc3, 0x28, 0x22))]),
    close: Buffer.concat([init, frame(Buffer.of(0x03, 0xe8, 0x62, 0x79, 0x65), 0x88)]),
    unmasked: Buffer.of(0x81, 0x02, 0x7b, 0x7d),
    reserved: frame("{}", 0xc1),
    long: Buffer.concat([init, message({ type: "ping", payload: { a: "a".repeat(70_000) } })]).subarray(
      0,
      8_000,
    ),
  };
}
