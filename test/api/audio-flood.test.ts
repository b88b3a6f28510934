import { request } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "@jest/globals";
import { growingWavHeader } from "../../src/services/audio/formats/wav-header.js";
import { addAudioTurn, startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { GraphqlError, TestParley } from "../helpers/parley.js";
import { keptSoundFiles } from "../helpers/sound.js";

const mebibyte = 1024 * 1024;
const silence = Buffer.alloc(64 * 1024);

interface Refusal {
  status: number | undefined;
  errors: GraphqlError[];
  sentBytes: number;
}

/** Sends a WAV file of 40 MB without telling its length, as far as the server lets it. */
function flood(parley: TestParley, conversationId: string, onChunk: () => void): Promise<Refusal> {
  return new Promise((resolve, reject) => {
    const sending = request(`${parley.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=B", "apollo-require-preflight": "true" },
    });
    let sentBytes = 0;
    let answered = false;
    const sendMore = (): void => {
      while (!answered && sentBytes < 40_000_000) {
        sentBytes += silence.byteLength;
        onChunk();
        if (!sending.write(silence)) return void sending.once("drain", sendMore);
      }
      if (!answered) sending.end("\r\n--B--\r\n");
    };
    sending.on("response", (response) => {
      answered = true;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { errors } = JSON.parse(Buffer.concat(chunks).toString()) as { errors: GraphqlError[] };
        sending.destroy();
        resolve({ status: response.statusCode, errors, sentBytes });
      });
    });
    sending.on("error", (error) => {
      if (!answered) reject(error);
    });
    const variables = { input: { conversationId, audio: { upload: null } } };
    const operations = JSON.stringify({ query: addAudioTurn, variables });
    const map = JSON.stringify({ 0: ["variables.input.audio.upload"] });
    const field = (name: string) => `--B\r\ncontent-disposition: form-data; name="${name}"`;
    sending.write(`${field("operations")}\r\n\r\n${operations}\r\n${field("map")}\r\n\r\n${map}\r\n`);
    sending.write(`${field("0")}; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\n`);
    sending.write(growingWavHeader());
    sendMore();
  });
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is in use: V8 lets buffers that nobody uses any more grow to 64 MB before it looks at them. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().external;
}

describe("An upload over the limit", () => {
  const shared = sharedParley("sqlite");

  it("is refused as soon as it is over, and what is held of it does not grow", async () => {
    const parley = shared();
    const conversationId = await startedConversation(parley);
    const before = heldBytes();
    let peak = before;
    let chunks = 0;
    const watch = () => {
      chunks += 1;
      if (chunks % 400 === 0) peak = Math.max(peak, heldBytes());
    };
    const refusals: Refusal[] = [];
    while (refusals.length < 8) {
      const four = Array.from({ length: 4 }, () => flood(parley, conversationId, watch));
      refusals.push(...(await Promise.all(four)));
    }
    for (const { status, errors, sentBytes } of refusals) {
      expect(status).toBe(200);
      expect(errors.map(({ extensions }) => extensions.code)).toEqual(["AUDIO_TOO_LARGE"]);
      expect(sentBytes).toBeLessThan(30_000_000);
    }
    expect((peak - before) / mebibyte).toBeLessThan(40);
    expect(await keptSoundFiles(parley)).toEqual([]);
    expect(parley.standIn.requests).toEqual([]);
  });

  it("that tells its length is refused before any of it is read", async () => {
    const parley = shared();
    const form = new FormData();
    form.set("operations", "{}");
    form.set("0", new Blob([new Uint8Array(25_000_000)]));
    const headers = { "apollo-require-preflight": "true" };
    const response = await fetch(`${parley.url}/graphql`, { method: "POST", headers, body: form });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "AUDIO_TOO_LARGE" } }] });
  });
});
