import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import {
  askByText,
  cancelTurn,
  deleteConversation,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Clip } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { turnEvents } from "../helpers/turn-events.js";

/** A turn whose answer is held after its first sound, with the clip that grows. */
async function growingClip(parley: TestParley, format = "WAV") {
  const conversationId = await startedConversation(parley);
  const pause = parley.standIn.pauseNext("after-first-audio");
  const turn = await askByText(parley, conversationId, "Count to 5.", { waitMs: 0, reply: { format } });
  await pause.reached;
  for await (const event of turnEvents("websocket", parley.url, turn.id))
    if (event.__typename === "AudioDelta") break;
  const clip = (await turnById(parley, turn.id))?.assistantMessage?.audio;
  if (clip == null) throw new Error("there is no clip yet");
  return { conversationId, turn, pause, clip };
}

/** Reads a body to its end; calls back once, when the first bytes have come. */
async function readBody(response: Response, onFirstBytes: () => void): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    if (pieces.push(piece) === 1) onFirstBytes();
  }
  return Buffer.concat(pieces);
}

async function bytesOf({ url }: Clip): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

onEachDatabase("the URL of a clip that grows", (kind) => {
  const shared = sharedParley(kind);

  it.each(["WAV", "PCM16"])(
    "plays a %s answer from its start to its end, for who comes in the middle",
    async (format) => {
      const parley = shared();
      const { turn, pause, clip } = await growingClip(parley, format);
      const response = await fetch(clip.url, { headers: { range: "bytes=0-9" } });
      expect(response.status).toBe(200);
      const headers = Object.fromEntries(response.headers);
      expect(headers).toMatchObject({
        "accept-ranges": "none",
        "cache-control": "no-store",
        "content-type": clip.mimeType,
        "transfer-encoding": "chunked",
        "x-content-type-options": "nosniff",
      });
      for (const absent of ["etag", "content-length", "content-range", "last-modified"])
        expect(headers).not.toHaveProperty(absent);
      // The answer goes on only once some of it was received.
      const heard = await readBody(response, () => pause.release());

      const ended = await endOfTurn(parley, turn.id);
      const kept = ended.assistantMessage?.audio;
      expect(kept).toMatchObject({ id: clip.id, url: clip.url, format });
      const file = await bytesOf(clip);
      expect(file.byteLength).toBe(kept?.byteLength);
      expect(heard.byteLength).toBe(file.byteLength);
      const headerByteLength = format === "WAV" ? 44 : 0;
      expect(heard.subarray(headerByteLength)).toEqual(file.subarray(headerByteLength));
      if (format !== "WAV") return;
      expect([heard.readUInt32LE(4), heard.readUInt32LE(40)]).toEqual([0xffffffff, 0xffffffff]);
      expect([file.readUInt32LE(4), file.readUInt32LE(40)]).toEqual([
        file.byteLength - 8,
        file.byteLength - 44,
      ]);
    },
  );

  it("answers HEAD as GET, without waiting for the end", async () => {
    const parley = shared();
    const { turn, pause, clip } = await growingClip(parley);
    const head = await fetch(clip.url, { method: "HEAD" });
    expect([head.status, head.headers.get("accept-ranges"), head.headers.get("content-length")]).toEqual([
      200,
      "none",
      null,
    ]);
    pause.release();
    await endOfTurn(parley, turn.id);
    const after = await fetch(clip.url, { method: "HEAD" });
    expect(after.headers.get("accept-ranges")).toBe("bytes");
    expect(after.headers.get("etag")).not.toBeNull();
  });

  it("ends with what was received when the turn is cancelled", async () => {
    const parley = shared();
    const { turn, pause, clip } = await growingClip(parley);
    const response = await fetch(clip.url);
    const heard = readBody(response, () => undefined);
    await parley.ask(cancelTurn, { input: { turnId: turn.id } });
    pause.release();
    expect((await heard).subarray(44)).toEqual((await bytesOf(clip)).subarray(44));
  });

  it("breaks off where the sound is deleted instead of being kept", async () => {
    const parley = shared();
    const { conversationId, pause, clip } = await growingClip(parley);
    const heard = readBody(await fetch(clip.url), () => undefined);
    const broken = expect(heard).rejects.toThrow();
    await parley.ask(deleteConversation, { id: conversationId });
    pause.release();
    await broken;
    expect((await fetch(clip.url)).status).toBe(404);
  });

  it("is let go by who hangs up, and the turn goes on", async () => {
    const parley = shared();
    const { turn, pause, clip } = await growingClip(parley);
    const hangUp = new AbortController();
    const response = await fetch(clip.url, { signal: hangUp.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    hangUp.abort();
    pause.release();
    expect(await endOfTurn(parley, turn.id)).toMatchObject({ status: "COMPLETED" });
  });
});
