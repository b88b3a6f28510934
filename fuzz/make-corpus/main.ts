/**
 * Writes the seeds of fuzz/corpus again: `npx tsx fuzz/make-corpus/main.ts`. Files that are there beside them, inputs
 * that once failed among them, stay.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { corpusFolder } from "../corpus.js";
import { audioSeeds } from "./audio-seeds.js";
import { httpSeeds, multipartSeeds, rangeSeeds } from "./http-seeds.js";
import { webSocketSeeds } from "./websocket-seeds.js";

type Seeds = Readonly<Record<string, Uint8Array | string>>;

function write(target: string, seeds: Seeds): void {
  const folder = `${corpusFolder}${target}/`;
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(seeds)) writeFileSync(folder + name, content);
}

write("http", httpSeeds());
write("multipart", multipartSeeds());
write("range", rangeSeeds());
write("audio", await audioSeeds());
write("websocket", webSocketSeeds());
