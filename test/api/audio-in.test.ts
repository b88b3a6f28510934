import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { wavHeader } from "../../src/services/audio/formats/wav-header.js";
import { encodeTone, opusFile, opusPackets } from "../helpers/audio-fixtures.js";
import { onEachDatabase } from "../helpers/databases.js";
import { addAudioTurn, askByAudio, startedConversation } from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { GraphqlError, TestParley } from "../helpers/parley.js";
import { download, keptSoundFiles, sha256Of, spokenWav } from "../helpers/sound.js";

const textReply = { modalities: ["TEXT"] };
const mebibyte = 1024 * 1024;

/** A WAV file of exactly so many bytes, of silence. */
function wavOf(byteLength: number): Buffer {
  const dataByteLength = byteLength - 44;
  const header = wavHeader({ sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength });
  return Buffer.concat([header, Buffer.alloc(dataByteLength)]);
}

async function send(parley: TestParley, audio: unknown) {
  const conversationId = await startedConversation(parley);
  const input = { conversationId, audio, reply: textReply };
  return parley.send<{ addAudioTurn: { turn: Turn } }>(addAudioTurn, { input });
}

/** The error with which an upload is refused; checks that nothing of it is left and no model was called. */
async function refusal(parley: TestParley, bytes: Uint8Array): Promise<GraphqlError | undefined> {
  const [files, calls] = [await keptSoundFiles(parley), parley.standIn.requests.length];
  const conversationId = await startedConversation(parley);
  const { errors } = await parley.upload(
    addAudioTurn,
    { input: { conversationId, audio: { upload: null } } },
    "variables.input.audio.upload",
    new Blob([new Uint8Array(bytes)]),
  );
  expect(await keptSoundFiles(parley)).toEqual(files);
  expect(parley.standIn.requests).toHaveLength(calls);
  const query = "query ($id: ID!) { conversation(id: $id) { activeTurn { id } turns { totalCount } } }";
  expect(await parley.ask(query, { id: conversationId })).toEqual({
    conversation: { activeTurn: null, turns: { totalCount: 0 } },
  });
  return errors[0];
}

onEachDatabase("Sound from a client", (kind) => {
  const shared = sharedParley(kind);

  it("is served exactly as it was received, and goes to the model so", async () => {
    const parley = shared();
    const wav = spokenWav();
    const broken = Buffer.concat([wav.subarray(0, 4), Buffer.alloc(4, 0xff), wav.subarray(8)]);
    const mp3 = await encodeTone("mp3", {
      sampleRate: 24_000,
      channels: 1,
      durationMs: 1_000,
      frequencyHz: 440,
    });
    const clips: [string, string, Uint8Array][] = [
      ["WAV", "audio/wav", wav],
      ["WAV", "audio/wav", broken],
      ["MP3", "audio/mpeg", mp3],
    ];
    for (const [format, mimeType, bytes] of clips) {
      const turn = await askByAudio(parley, await startedConversation(parley), bytes, { reply: textReply });
      const clip = turn.userMessage.audio;
      expect(turn.status).toBe("COMPLETED");
      expect(clip).toMatchObject({ format, mimeType, byteLength: bytes.byteLength, sha256: sha256Of(bytes) });
      expect(Math.abs((clip?.durationMs ?? 0) - 1_000)).toBeLessThan(100);
      expect(sha256Of(await download(clip))).toBe(sha256Of(bytes));
      expect(JSON.stringify(parley.standIn.requests.at(-1)?.body)).toContain(format.toLowerCase());
    }
  });

  it("that a browser or Android recorded with Opus is converted to 24 kHz mono WAV", async () => {
    const parley = shared();
    const packets = opusPackets({ channels: 1, durationMs: 1_000, frequencyHz: 440 });
    for (const container of ["webm", "webm-live", "ogg"] as const) {
      const received = await opusFile(container, packets);
      const turn = await askByAudio(parley, await startedConversation(parley), received, {
        reply: textReply,
      });
      const clip = turn.userMessage.audio;
      const served = await download(clip);
      expect([container, turn.status]).toEqual([container, "COMPLETED"]);
      expect(clip).toMatchObject({ format: "WAV", mimeType: "audio/wav", byteLength: served.byteLength });
      expect(clip?.sha256).toBe(sha256Of(served));
      const header = wavHeader({
        sampleRate: 24_000,
        channels: 1,
        bitsPerSample: 16,
        dataByteLength: served.byteLength - 44,
      });
      expect(served.subarray(0, 44)).toEqual(Buffer.from(header));
      expect(Math.abs((clip?.durationMs ?? 0) - 1_000)).toBeLessThan(50);
    }
  });

  it("comes as base64, up to 4 MiB when decoded", async () => {
    const parley = shared();
    const largest = wavOf(4 * mebibyte);
    const { data, errors } = await send(parley, { base64: largest.toString("base64") });
    expect(errors).toEqual([]);
    expect(data.addAudioTurn.turn).toMatchObject({
      status: "COMPLETED",
      userMessage: { audio: { byteLength: 4 * mebibyte, sha256: sha256Of(largest) } },
    });
    const files = await keptSoundFiles(parley);
    const beyond = await send(parley, { base64: wavOf(4 * mebibyte + 1).toString("base64") });
    expect(beyond.errors[0]).toMatchObject({
      message: expect.stringContaining("Upload"),
      extensions: { code: "AUDIO_TOO_LARGE", retryable: false },
    });
    expect(await keptSoundFiles(parley)).toEqual(files);
  });

  it("as an upload of 20 MiB is taken, kept and sent to the model; one byte more leaves nothing", async () => {
    const parley = shared();
    const largest = wavOf(20 * mebibyte);
    const turn = await askByAudio(parley, await startedConversation(parley), largest, { reply: textReply });
    expect(turn).toMatchObject({
      status: "COMPLETED",
      userMessage: { audio: { byteLength: 20 * mebibyte, sha256: sha256Of(largest) } },
    });
    expect(JSON.stringify(parley.standIn.requests.at(-1)?.body)).toContain(sha256Of(largest));
    const error = await refusal(parley, wavOf(20 * mebibyte + 1));
    expect(error?.extensions.code).toBe("AUDIO_TOO_LARGE");
    expect(error?.message).toContain(String(20 * mebibyte));
  });
});

describe("Sound from a client", () => {
  const shared = sharedParley("sqlite");

  it("in base64 is taken in its strict form only", async () => {
    const wav = Buffer.from(spokenWav(100));
    const base64 = wav.toString("base64");
    const refused = [
      "",
      " ",
      "=",
      "====",
      "A",
      "AA",
      "AAA",
      "AA=",
      "AB==",
      ` ${base64}`,
      `${base64}\n`,
      `${base64.slice(0, 76)}\r\n${base64.slice(76)}`,
      `data:audio/wav;base64,${base64}`,
      Buffer.concat([wav, Buffer.from([0xfb, 0xff])]).toString("base64url"),
      wav.subarray(0, 100).toString("base64").replaceAll("=", ""),
      `${base64.slice(0, 40)}-_${base64.slice(42)}`,
      `${base64.slice(0, 40)}*${base64.slice(41)}`,
      `${base64.slice(0, 40)}\0${base64.slice(41)}`,
      `${base64}====`,
    ];
    for (const text of refused) {
      const { errors } = await send(shared(), { base64: text });
      const expected = text === "" ? "AUDIO_FORMAT_UNSUPPORTED" : "BAD_USER_INPUT";
      expect([text.slice(0, 60), errors[0]?.extensions.code]).toEqual([text.slice(0, 60), expected]);
    }
    expect((await send(shared(), { base64 })).errors).toEqual([]);
  });

  it("comes in one way of three, exactly one", async () => {
    const base64 = Buffer.from(spokenWav(100)).toString("base64");
    const mistakes = [
      {},
      null,
      { base64, uploadId: "upl_1" },
      { base64: null },
      { base64: null, uploadId: "upl_1" },
      { upload: null },
      { upload: "text" },
      { upload: {} },
      { upload: { then: 1 } },
      { base64: 5 },
      { url: "https://example.com/a.wav" },
    ];
    for (const audio of mistakes) {
      const { errors } = await send(shared(), audio);
      expect([audio, errors[0]?.extensions.code]).toEqual([audio, "BAD_USER_INPUT"]);
    }
    for (const uploadId of ["upl_01K00000000000000000000000", "", "\0", "\ud800", "x".repeat(10_000)]) {
      expect((await send(shared(), { uploadId })).errors[0]?.extensions.code).toBe("NOT_FOUND");
    }
  });

  it("that the model would not take and that can't be converted is refused, with what can and how to get there", async () => {
    const of = { sampleRate: 24_000, channels: 1, durationMs: 500, frequencyHz: 440 } as const;
    const aac = [await encodeTone("aac", of), await encodeTone("mp4", of)];
    for (const bytes of aac) {
      const error = await refusal(shared(), bytes);
      expect(error?.extensions).toMatchObject({ code: "AUDIO_FORMAT_UNSUPPORTED", retryable: false });
      for (const words of ["AAC", "WAV", "MP3", "WebM", "Ogg", "OfflineAudioContext"])
        expect(error?.message).toContain(words);
    }
    const others = [
      await encodeTone("flac", of),
      new Uint8Array(0),
      Buffer.from("hello"),
      Buffer.from("<!doctype html>".repeat(1_000)),
      Buffer.alloc(100_000),
      spokenWav().subarray(0, 40),
      Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVE", "latin1"), Buffer.alloc(5_000)]),
    ];
    for (const bytes of others)
      expect((await refusal(shared(), bytes))?.extensions.code).toBe("AUDIO_FORMAT_UNSUPPORTED");
  });

  it("that becomes longer than the limit when it is converted is refused", async () => {
    const parley = shared();
    const packets = opusPackets({ channels: 1, durationMs: 1_000, frequencyHz: 440 });
    const long = await opusFile("ogg", Array.from({ length: 450 }, () => packets).flat());
    expect(long.byteLength).toBeLessThan(20 * mebibyte);
    const error = await refusal(parley, long);
    expect(error?.extensions.code).toBe("AUDIO_TOO_LARGE");
  });

  it("in a JSON body that is too large is refused before it is sent, and its client may go on sending", async () => {
    const { hostname, host, port } = new URL(shared().url);
    const socket = connect(Number(port), hostname);
    const headers = `host: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${8 * mebibyte}`;
    const write = (bytes: string | Buffer) =>
      new Promise<void>((resolve, reject) => {
        socket.write(bytes, (error) => (error == null ? resolve() : reject(error)));
      });
    const answered = once(socket, "data");
    await write(`POST /graphql HTTP/1.1\r\n${headers}\r\n\r\n`);
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 413 /);
    for (let sent = 0; sent < 10; sent += 1) {
      await write(Buffer.alloc(64 * 1024, "A"));
      await nextTurn();
    }
    socket.destroy();
  });

  it("in a JSON body that is larger than any clip is refused with 413, naming the other way", async () => {
    const parley = shared();
    const body = JSON.stringify({ query: addAudioTurn, variables: { input: "A".repeat(8 * mebibyte) } });
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${parley.url}/graphql`, { method: "POST", headers, body });
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual({
      errors: [
        {
          message: expect.stringContaining("Upload"),
          extensions: {
            code: "AUDIO_TOO_LARGE",
            retryable: false,
            requestId: response.headers.get("x-request-id"),
          },
        },
      ],
    });
  });
});
