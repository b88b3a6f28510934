import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";

import type { AudioStore } from "../../src/storage/audio-store.js";

export interface StoreUnderTest {
  store: AudioStore;
  /** A second process on the same storage. */
  reopen: () => AudioStore;
  close: () => Promise<void>;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function bytesOf(stream: Readable | null): Promise<Buffer | null> {
  if (stream === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function put(store: AudioStore, key: string, bytes: Uint8Array) {
  const draft = await store.create();
  await draft.append(bytes);
  return await draft.commit(key);
}

/** What every audio store has to keep. `makeStore` gives an empty one. */
export function describeAudioStore(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  const withStore = (work: (store: AudioStore, reopen: () => AudioStore) => Promise<void>) => async () => {
    const made = await makeStore();
    try {
      await work(made.store, made.reopen);
    } finally {
      await made.close();
    }
  };

  describe(`${name} as an audio store`, () => {
    it(
      "gives back what was committed, with its length and hash",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.append(text("hello "));
        await draft.append(text("world"));
        expect(draft.byteLength).toBe(11);
        expect(await draft.commit("conv_1/clip_1.wav")).toEqual({
          byteLength: 11,
          sha256: sha256(text("hello world")),
        });
        expect(await store.size("conv_1/clip_1.wav")).toBe(11);
        expect((await bytesOf(await store.read("conv_1/clip_1.wav")))?.toString()).toBe("hello world");
      }),
    );

    it(
      "replaces the first bytes by the head and hashes the result",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.append(text("????"));
        await draft.append(text(" sound"));
        expect(await draft.commit("c/head", text("RIFF"))).toEqual({
          byteLength: 10,
          sha256: sha256(text("RIFF sound")),
        });
        expect((await bytesOf(await store.read("c/head")))?.toString()).toBe("RIFF sound");
      }),
    );

    it(
      "refuses a head that is longer than the draft and leaves the draft usable",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.append(text("ab"));
        await expect(draft.commit("c/long", text("abc"))).rejects.toMatchObject({ code: "failed" });
        expect(await store.size("c/long")).toBeNull();
        await draft.commit("c/long");
        expect(await store.size("c/long")).toBe(2);
      }),
    );

    it(
      "stores an empty piece of audio",
      withStore(async (store) => {
        const stored = await (await store.create()).commit("c/empty");
        expect(stored).toEqual({ byteLength: 0, sha256: sha256(new Uint8Array(0)) });
        expect(await bytesOf(await store.read("c/empty"))).toEqual(Buffer.alloc(0));
      }),
    );

    it(
      "answers null for a key that holds nothing",
      withStore(async (store) => {
        expect(await store.read("c/none")).toBeNull();
        expect(await store.size("c/none")).toBeNull();
      }),
    );

    it.each([
      "",
      "name",
      "/name",
      "folder/",
      "a/b/c",
      "../x",
      "a/..",
      "a/../b",
      ".hidden/x",
      "a/.hidden",
      "a\\b/c",
      "a/b\0",
      "a/b c",
      "drafts/x",
      "Drafts/x",
      "/etc/passwd",
      `a/${"x".repeat(129)}`,
    ])("refuses the key %j at every door", (key) =>
      withStore(async (store) => {
        await expect(store.read(key)).rejects.toMatchObject({ name: "StorageError" });
        await expect(store.size(key)).rejects.toMatchObject({ name: "StorageError" });
        await expect(store.delete(key)).rejects.toMatchObject({ name: "StorageError" });
        const draft = await store.create();
        await expect(draft.commit(key)).rejects.toMatchObject({ name: "StorageError" });
        await draft.discard();
      })(),
    );

    it(
      "writes a key once: the second commit throws and changes nothing",
      withStore(async (store) => {
        await put(store, "c/once", text("first"));
        await expect(put(store, "c/once", text("second"))).rejects.toMatchObject({ code: "exists" });
        expect((await bytesOf(await store.read("c/once")))?.toString()).toBe("first");
      }),
    );

    it(
      "lets exactly one of many concurrent commits to one key win",
      withStore(async (store, reopen) => {
        const other = reopen();
        const bodies = Array.from({ length: 12 }, (_, index) => text(`body ${index}`));
        const results = await Promise.allSettled(
          bodies.map((body, index) => put(index % 2 === 0 ? store : other, "c/race", body)),
        );
        const winners = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
        expect(winners).toHaveLength(1);
        const kept = await bytesOf(await store.read("c/race"));
        expect(sha256(kept ?? new Uint8Array(0))).toBe(winners[0]?.sha256);
      }),
    );

    it(
      "keeps a draft out of sight until it is committed, and after it was discarded",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.append(text("secret"));
        expect(await store.size("c/draft")).toBeNull();
        await draft.discard();
        expect(await store.size("c/draft")).toBeNull();
        expect(await store.sweepDrafts(0)).toBe(0);
      }),
    );

    it(
      "lets discard be called again, and after a commit",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.discard();
        await draft.discard();
        const committed = await store.create();
        await committed.commit("c/kept");
        await committed.discard();
        expect(await store.size("c/kept")).toBe(0);
      }),
    );

    it(
      "refuses to go on with a draft that has ended",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.commit("c/ended");
        await expect(draft.append(text("x"))).rejects.toMatchObject({ name: "StorageError" });
        await expect(draft.commit("c/again")).rejects.toMatchObject({ name: "StorageError" });
        await expect(draft.readAt(0, 1)).rejects.toMatchObject({ name: "StorageError" });
      }),
    );

    it(
      "leaves no draft behind when a commit fails",
      withStore(async (store) => {
        await put(store, "c/taken", text("x"));
        await expect(put(store, "c/taken", text("y"))).rejects.toMatchObject({ code: "exists" });
        expect(await store.sweepDrafts(0)).toBe(0);
      }),
    );

    it(
      "keeps the order of appends that overlap",
      withStore(async (store) => {
        const draft = await store.create();
        const parts = Array.from({ length: 50 }, (_, index) => text(`${index},`));
        await Promise.all(parts.map((part) => draft.append(part)));
        expect(await draft.commit("c/order")).toMatchObject({ sha256: sha256(Buffer.concat(parts)) });
        expect(await bytesOf(await store.read("c/order"))).toEqual(Buffer.concat(parts));
      }),
    );

    it(
      "reads a draft back at any place, and less at its end",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.append(text("0123456789"));
        const at = async (offset: number, length: number) =>
          Buffer.from(await draft.readAt(offset, length)).toString();
        expect(await at(0, 4)).toBe("0123");
        expect(await at(8, 10)).toBe("89");
        expect(await at(10, 1)).toBe("");
        expect(await at(99, 2 ** 40)).toBe("");
        expect(await at(-1, 3)).toBe("");
        await draft.append(text("AB"));
        expect(await at(9, 3)).toBe("9AB");
        await draft.discard();
      }),
    );

    it.each([
      [0, 0, "0"],
      [0, 9, "0123456789"],
      [3, 5, "345"],
      [9, 9, "9"],
      [5, 500, "56789"],
      [10, 20, ""],
    ])("reads the span %i to %i", (start, end, expected) =>
      withStore(async (store) => {
        await put(store, "c/span", text("0123456789"));
        expect((await bytesOf(await store.read("c/span", { start, end })))?.toString()).toBe(expected);
      })(),
    );

    it.each([
      [-1, 3],
      [3, 2],
      [0.5, 3],
      [0, Number.NaN],
    ])("refuses the span %d to %d", (start, end) =>
      withStore(async (store) => {
        await put(store, "c/span", text("0123456789"));
        await expect(store.read("c/span", { start, end })).rejects.toMatchObject({ name: "StorageError" });
      })(),
    );

    it(
      "reads every span as the slice of the whole",
      withStore(async (store) => {
        const whole = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) % 251));
        await put(store, "c/whole", whole);
        const place = fc.nat(whole.length + 1000);
        await fc.assert(
          fc.asyncProperty(place, place, async (one, two) => {
            const [start, end] = one < two ? [one, two] : [two, one];
            const read = await bytesOf(await store.read("c/whole", { start, end }));
            expect(read?.equals(whole.subarray(start, end + 1))).toBe(true);
          }),
          { numRuns: 60 },
        );
      }),
    );

    it(
      "stores the same bytes however they were split",
      withStore(async (store) => {
        let count = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), async (parts) => {
            const draft = await store.create();
            for (const part of parts) await draft.append(part);
            count += 1;
            const stored = await draft.commit(`split/clip_${count}`);
            expect(stored.sha256).toBe(sha256(Buffer.concat(parts)));
            expect(await bytesOf(await store.read(`split/clip_${count}`))).toEqual(Buffer.concat(parts));
          }),
          { numRuns: 30 },
        );
      }),
    );

    it(
      "deletes, also twice, and the key can be written again",
      withStore(async (store) => {
        await put(store, "c/gone", text("x"));
        await put(store, "c/stays", text("y"));
        await store.delete("c/gone");
        await store.delete("c/gone");
        await store.delete("never/there");
        expect(await store.read("c/gone")).toBeNull();
        expect(await store.size("c/stays")).toBe(1);
        await put(store, "c/gone", text("again"));
        expect(await store.size("c/gone")).toBe(5);
      }),
    );

    it(
      "loses no commit to a deletion that empties the same folder",
      withStore(async (store, reopen) => {
        const other = reopen();
        for (let round = 0; round < 10; round += 1) {
          await put(store, `c/old_${round}`, text("old"));
          await Promise.all([store.delete(`c/old_${round}`), put(other, `c/new_${round}`, text("new"))]);
          expect(await store.size(`c/new_${round}`)).toBe(3);
          await store.delete(`c/new_${round}`);
        }
      }),
    );

    it(
      "goes on with a read that a deletion overtakes, or ends it with an error",
      withStore(async (store) => {
        const bytes = Buffer.alloc(300_000, 7);
        await put(store, "c/reading", bytes);
        const stream = await store.read("c/reading");
        await store.delete("c/reading");
        const outcome = await bytesOf(stream).catch((error: unknown) => error);
        expect(Buffer.isBuffer(outcome) ? outcome.equals(bytes) : outcome).toEqual(
          Buffer.isBuffer(outcome) ? true : expect.objectContaining({ name: "StorageError" }),
        );
      }),
    );

    it(
      "says that it can store, and leaves nothing behind",
      withStore(async (store) => {
        await store.check();
        expect(await store.sweepDrafts(0)).toBe(0);
      }),
    );

    it(
      "sweeps the drafts of a process that died, and not one that is young",
      withStore(async (store, reopen) => {
        const abandoned = await store.create();
        await abandoned.append(text("lost"));
        const after = reopen();
        expect(await after.sweepDrafts(60_000)).toBe(0);
        expect(await after.sweepDrafts(0)).toBe(1);
        expect(await after.sweepDrafts(0)).toBe(0);
        await abandoned.discard();
      }),
    );

    it(
      "tells the keys of drafts that are old enough, and sweeps none of them",
      withStore(async (store, reopen) => {
        const draft = await store.create("conv_1/clip_1.mp3");
        const other = reopen();
        expect(await other.draftKeys(60_000)).toEqual([]);
        expect(await other.draftKeys(0)).toEqual(["conv_1/clip_1.mp3"]);
        expect(await other.sweepDrafts(0)).toBe(0);
        await draft.commit("conv_1/clip_1.mp3");
        expect(await other.draftKeys(0)).toEqual([]);
      }),
    );

    it(
      "lets a draft with a key be read while it grows, by every process, and only as far as it has grown",
      withStore(async (store, reopen) => {
        const draft = await store.create("conv_1/clip_1.wav");
        await draft.append(text("hello"));
        const other = reopen();
        const span = { start: 1, end: 100 };
        expect((await bytesOf(await other.readDraft("conv_1/clip_1.wav", span)))?.toString()).toBe("ello");
        expect(await other.read("conv_1/clip_1.wav")).toBeNull();
        expect(await other.readDraft("conv_1/clip_2.wav", span)).toBeNull();
        await draft.append(text(" you"));
        await draft.commit("conv_1/clip_1.wav");
        expect(await other.readDraft("conv_1/clip_1.wav", span)).toBeNull();
        expect((await bytesOf(await other.read("conv_1/clip_1.wav")))?.toString()).toBe("hello you");
      }),
    );

    it(
      "copies a draft that another process left, so that whoever still writes to it changes nothing kept",
      withStore(async (store, reopen) => {
        const left = await store.create("conv_1/clip_1.wav");
        await left.append(text("0123456789"));
        const after = reopen();
        expect(await after.copyDraft("conv_1/clip_2.wav")).toBeNull();
        const copy = await after.copyDraft("conv_1/clip_1.wav");
        expect(copy?.byteLength).toBe(10);
        await copy?.truncate(8);
        const kept = { byteLength: 8, sha256: sha256(text("ab234567")) };
        expect(await copy?.commit("conv_1/clip_1.wav", text("ab"))).toEqual(kept);
        await after.deleteDraft("conv_1/clip_1.wav");
        await after.deleteDraft("conv_1/clip_1.wav");
        await left.append(text("more"));
        await expect(left.commit("conv_1/clip_1.wav")).rejects.toThrow();
        expect(await after.measure("conv_1/clip_1.wav")).toEqual(kept);
        expect(await after.measure("conv_1/clip_2.wav")).toBeNull();
      }),
    );

    it(
      "lets a draft stay that its owner leaves, for others to copy",
      withStore(async (store, reopen) => {
        const left = await store.create("conv_1/clip_1.wav");
        await left.append(text("hello"));
        await left.leave();
        await left.discard();
        await expect(left.append(text("!"))).rejects.toMatchObject({ name: "StorageError" });
        const copy = await reopen().copyDraft("conv_1/clip_1.wav");
        expect(copy?.byteLength).toBe(5);
        await copy?.discard();
        await copy?.leave();
      }),
    );

    it(
      "truncates a draft, whose hash is of what is left",
      withStore(async (store) => {
        const draft = await store.create();
        await draft.append(text("hello world"));
        await draft.truncate(100);
        await draft.truncate(5);
        await draft.append(text("!"));
        expect(await draft.commit("c/a")).toEqual({ byteLength: 6, sha256: sha256(text("hello!")) });
      }),
    );

    it(
      "keeps the mark of its first owner",
      withStore(async (store, reopen) => {
        expect(await store.claim("one")).toBe("one");
        expect(await reopen().claim("two")).toBe("one");
        expect(await store.claim("one")).toBe("one");
      }),
    );

    it(
      "has one first owner, also where many come at once",
      withStore(async (store, reopen) => {
        const other = reopen();
        const tags = Array.from({ length: 12 }, (_, index) => `tag ${index}`);
        const told = await Promise.all(
          tags.map((tag, index) => (index % 2 === 0 ? store : other).claim(tag)),
        );
        expect([...new Set(told)]).toEqual([await store.claim("late")]);
      }),
    );

    it(
      "lists the keys of what is stored and old enough, and no drafts",
      withStore(async (store) => {
        const keys = async (olderThanMs: number) => {
          const found: string[] = [];
          for await (const some of store.keys(olderThanMs)) found.push(...some);
          return found.sort();
        };
        expect(await keys(0)).toEqual([]);
        await put(store, "conv_1/a.wav", text("a"));
        await put(store, "conv_1/b.wav", text("b"));
        await put(store, "conv_2/a.wav", text("a"));
        const draft = await store.create("conv_3/a.wav");
        expect(await keys(0)).toEqual(["conv_1/a.wav", "conv_1/b.wav", "conv_2/a.wav"]);
        expect(await keys(60_000)).toEqual([]);
        await draft.discard();
      }),
    );

    it(
      "streams 20 MiB in and out with flat memory",
      withStore(async (store) => {
        const chunk = Buffer.alloc(65_536, 1);
        const draft = await store.create();
        const before = process.memoryUsage().arrayBuffers;
        let peak = before;
        for (let index = 0; index < 320; index += 1) {
          await draft.append(chunk);
          peak = Math.max(peak, process.memoryUsage().arrayBuffers);
        }
        await draft.commit("c/large", Buffer.alloc(44, 2));
        let byteLength = 0;
        let longest = 0;
        const stream = await store.read("c/large");
        for await (const part of (stream ?? []) as AsyncIterable<Uint8Array>) {
          byteLength += part.byteLength;
          longest = Math.max(longest, part.byteLength);
        }
        expect(byteLength).toBe(20 * 1024 * 1024);
        expect(longest).toBeLessThanOrEqual(1024 * 1024);
        expect(peak - before).toBeLessThan(8 * 1024 * 1024);
      }),
    );
  });
}
