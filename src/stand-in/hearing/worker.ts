import { parentPort, workerData } from "node:worker_threads";
import { openDecoder, type Decoder } from "./decoder.js";
import type { Heard, HearingOrder, HearingReply, HearingSettings } from "./heard.js";
import { understand } from "./understand.js";
import { readWavSamples } from "./wav-samples.js";
import { resampleTo16k } from "./to-16k.js";

const { packageFolder, maxSeconds } = workerData as HearingSettings;
let opening: Promise<Decoder> | null = null;

async function hear(bytes: Uint8Array): Promise<Heard> {
  const sound = readWavSamples(bytes, maxSeconds);
  if (sound === null) return { kind: "unreadable" };
  const samples = resampleTo16k(sound);
  if (samples.length === 0) return { kind: "nothing" };
  opening ??= openDecoder(packageFolder);
  return understand((await opening).decode(samples), sound.isCut ? maxSeconds : null);
}

async function answer({ id, bytes }: HearingOrder): Promise<void> {
  const reply = await hear(bytes).then(
    (heard): HearingReply => ({ id, ok: true, heard }),
    (error: unknown): HearingReply => ({ id, ok: false, message: String(error) }),
  );
  parentPort?.postMessage(reply);
}

parentPort?.on("message", (order: HearingOrder) => void answer(order));
