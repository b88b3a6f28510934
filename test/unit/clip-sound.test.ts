import { Readable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { ClipSound } from "../../src/services/live/clip-sound.js";
import type { ByteSpan } from "../../src/storage/audio-store.js";

const sound = Buffer.from("0123456789");
const clip = { id: "clip_1", storageKey: "conv_1/clip_1.wav", headerByteLength: 0 };
const gone = { code: "NOT_FOUND" };

/** As another server's file system shows a file that grows: `shown` bytes at each look, the last from then on. */
function lateStore(shown: (number | null)[]) {
  const looks: (number | null)[] = [];
  const readDraft = (_key: string, { start, end }: ByteSpan) => {
    const byteLength = (shown.length > 1 ? shown.shift() : shown[0]) ?? null;
    looks.push(byteLength);
    if (byteLength === null) return Promise.resolve(null);
    return Promise.resolve(Readable.from([sound.subarray(0, byteLength).subarray(start, end + 1)]));
  };
  return { looks, readDraft, read: () => Promise.resolve(null) };
}

const patience = { forMs: 60_000, everyMs: 1 };
const isTold = () => Promise.resolve(true);

describe("sound that the log tells before the file system shows it", () => {
  it("is read again until it is there", async () => {
    const store = lateStore([null, 0, 4, 10]);
    const read = await new ClipSound(store, isTold, patience).base64(clip, 2, 8);
    expect(Buffer.from(read, "base64").toString()).toBe("23456789");
    expect(store.looks).toEqual([null, 0, 4, 10]);
  });

  it("is gone at once where its row is gone or tells no such bytes", async () => {
    const store = lateStore([4]);
    const asked: unknown[] = [];
    const isGone = (...question: unknown[]) => Promise.resolve(asked.push(question) === 0);
    await expect(new ClipSound(store, isGone, patience).base64(clip, 2, 8)).rejects.toMatchObject(gone);
    expect(store.looks).toEqual([4]);
    expect(asked).toEqual([["conv_1/clip_1.wav", 10]]);
  });

  it("is given up where it does not come", async () => {
    const sound = new ClipSound(lateStore([4]), isTold, { forMs: 20, everyMs: 1 });
    await expect(sound.base64(clip, 2, 8)).rejects.toMatchObject(gone);
    const span = { start: 2, end: 9 };
    expect((await sound.read("conv_1/clip_1.wav", span))?.toString()).toBe("23");
  });
});
