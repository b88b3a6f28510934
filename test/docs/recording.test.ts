import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { askByAudio, startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import { temporaryFolder } from "../helpers/parley-process.js";
import { blocksOf, root } from "./pages.js";

const program = blocksOf("docs/clients.md").find(({ text }) => text.includes("function toWav"))?.text ?? "";

/** A browser has decoded a second of sound, some of it too loud. */
const main = `
globalThis.OfflineAudioContext = class {
  async decodeAudioData() {
    return { getChannelData: () => Float32Array.from({ length: 24_000 }, (_, index) => 2 * Math.sin(index / 10)) };
  }
};
const { toWav } = await import("./recording.mts");
process.stdout.write(Buffer.from(await (await toWav(new Blob([]))).arrayBuffer()));
`;

describe("the recorder that docs/clients.md shows", () => {
  const shared = sharedParley("sqlite");

  it("makes a WAV file that the server takes as it is", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "recording.mts"), program);
    writeFileSync(join(folder, "main.mjs"), main);
    const loader = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href;
    const wav = execFileSync(process.execPath, ["--import", loader, join(folder, "main.mjs")]);
    const turn = await askByAudio(shared(), await startedConversation(shared()), wav);
    expect(turn).toMatchObject({
      status: "COMPLETED",
      userMessage: { audio: { format: "WAV", durationMs: 1_000, byteLength: 48_044 } },
    });
    const samples = Array.from({ length: 24_000 }, (_, index) => wav.readInt16LE(44 + 2 * index));
    expect([Math.max(...samples), Math.min(...samples)]).toEqual([32_767, -32_767]);
    expect(samples[3]).toBe(Math.trunc(2 * Math.sin(0.3) * 32_767));
  });
});
