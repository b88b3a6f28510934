import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "@jest/globals";

import { nameByRename, type GiveName } from "../../src/storage/durable-fs.js";
import { FileAudioStore } from "../../src/storage/file-audio-store.js";
import { describeAudioStore } from "../helpers/audio-store-contract.js";

async function makeStore(...naming: [GiveName?]) {
  const directory = await mkdtemp(join(tmpdir(), "parley-audio-"));
  const open = () => new FileAudioStore(directory, ...naming);
  return {
    directory,
    store: open(),
    reopen: open,
    close: () => rm(directory, { recursive: true }),
  };
}

describeAudioStore("a directory", makeStore);
describeAudioStore("a directory without hard links", () => makeStore(nameByRename));

describe("audio files on disk", () => {
  it("leaves only the final file after a commit", async () => {
    const { directory, store, close } = await makeStore();
    const draft = await store.create();
    await draft.append(new Uint8Array([1, 2, 3]));
    await draft.commit("conv_1/clip_1");
    expect((await readdir(directory, { recursive: true })).sort()).toEqual([
      "conv_1",
      join("conv_1", "clip_1"),
      "drafts",
    ]);
    await close();
  });

  it("removes a conversation's folder with its last file", async () => {
    const { directory, store, close } = await makeStore();
    for (const key of ["conv_1/a", "conv_1/b"]) await (await store.create()).commit(key);
    await store.delete("conv_1/a");
    expect(await readdir(directory)).toContain("conv_1");
    await store.delete("conv_1/b");
    expect(await readdir(directory)).not.toContain("conv_1");
    await close();
  });

  it("sweeps nothing where no draft was ever made", async () => {
    const { store, close } = await makeStore();
    expect(await store.sweepDrafts(0)).toBe(0);
    await close();
  });

  it("is marked anew where a crash has left an empty mark", async () => {
    const { directory, store, close } = await makeStore();
    await writeFile(join(directory, ".store"), "");
    expect(await store.claim("one")).toBe("one");
    expect(await store.claim("two")).toBe("one");
    expect(await readdir(directory, { recursive: true })).toEqual([".store", "drafts"]);
    await close();
  });

  it("closes the file of a stream that is destroyed before it is read", async () => {
    const { store, close } = await makeStore();
    await (await store.create()).commit("c/x");
    const openFiles = async () => (await readdir("/proc/self/fd").catch(() => [])).length;
    const before = await openFiles();
    for (let round = 0; round < 20; round += 1) {
      const stream = await store.read("c/x");
      await new Promise((resolve) => stream?.once("close", resolve).destroy());
    }
    expect(await openFiles()).toBeLessThan(before + 10);
    await close();
  });

  it("answers with one kind of error where the directory cannot be used", async () => {
    const { directory, close } = await makeStore();
    await writeFile(join(directory, "file"), "x");
    const store = new FileAudioStore(join(directory, "file"));
    await expect(store.create()).rejects.toMatchObject({ name: "StorageError", code: "failed" });
    await expect(store.read("c/x")).rejects.toMatchObject({ name: "StorageError", code: "failed" });
    await close();
  });
});
