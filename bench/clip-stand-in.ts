/**
 * The stand-in with a fixed clip instead of speech, in a process of its own; prints where it listens. Answers at once,
 * unless it is asked for another pace; its messages tell when it last wrote the first sound of an answer.
 */
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { Pause } from "../src/stand-in/pauses.js";
import { startStandIn } from "../src/stand-in/stand-in.js";
import { questionShape } from "./paced-stand-in.js";
import type { Question } from "./paced-stand-in.js";

const standIn = await startStandIn({ speech: "clip", logger: pino({ level: "silent" }) });
let pace = { thinkMs: 0, restMs: 0 };
let firstAudioAt = 0n;
let gate = Promise.resolve();
let openGate = (): void => undefined;

async function letGo(pause: Pause, afterMs: number): Promise<void> {
  await gate;
  // A timer takes a millisecond at least.
  if (afterMs > 0) await delay(afterMs);
  pause.release();
}

async function watchQuestions(): Promise<never> {
  for (;;) {
    const pause = standIn.pauseNext("before-answer");
    await pause.reached;
    void letGo(pause, pace.thinkMs);
  }
}

async function watchFirstAudio(): Promise<never> {
  for (;;) {
    const pause = standIn.pauseNext("after-first-audio");
    await pause.reached;
    firstAudioAt = process.hrtime.bigint();
    void letGo(pause, pace.restMs);
  }
}

function answer(question: Question): void {
  if (question.kind === "pace") pace = question;
  if (question.kind === "hold") gate = new Promise((resolve) => (openGate = resolve));
  if (question.kind === "release") openGate();
  process.send?.(firstAudioAt.toString());
}

// Nobody asks in the bench of whole turns, which shall find the stand-in as it is.
process.once("message", () => {
  for (const watching of [watchQuestions(), watchFirstAudio()]) watching.catch(() => undefined);
});
process.on("message", (message) => answer(questionShape.parse(message)));
process.once("SIGTERM", () => {
  void standIn.close().then(() => process.exit(0));
});
process.stdout.write(`${standIn.url}\n`);
