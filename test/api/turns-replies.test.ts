import { describe, expect, it } from "@jest/globals";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import { providerVoices } from "../../src/config/voices.js";
import { onEachDatabase } from "../helpers/databases.js";
import { sentRequests } from "../helpers/exchanges.js";
import { addTextTurn, askByAudio, askByText, startedConversation } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { download, sha256Of, spokenWav } from "../helpers/sound.js";

const textOnly = { reply: { modalities: ["TEXT"] } };
const spokenReply = { text: null, transcript: expect.any(String), audio: { durationMs: 1_000 } };
const writtenReply = { text: expect.any(String), transcript: null, audio: null };

onEachDatabase("a reply", (kind) => {
  it("comes in all five combinations of input and output", async () => {
    const parley = await TestParley.start(kind);
    const wav = spokenWav();
    const ask = async (input: { sound: boolean; text?: string }, more: object) => {
      const conversationId = await startedConversation(parley);
      return input.sound
        ? askByAudio(parley, conversationId, wav, { text: input.text, ...more })
        : askByText(parley, conversationId, input.text ?? "", more);
    };
    const text = "What do you hear?";

    expect((await ask({ sound: false, text }, {})).assistantMessage).toMatchObject(spokenReply);
    expect((await ask({ sound: true }, {})).assistantMessage).toMatchObject(spokenReply);
    expect((await ask({ sound: true }, textOnly)).assistantMessage).toMatchObject(writtenReply);
    expect((await ask({ sound: true, text }, {})).assistantMessage).toMatchObject(spokenReply);
    expect((await ask({ sound: true, text }, textOnly)).assistantMessage).toMatchObject(writtenReply);
    const both = ["text", "audio"];
    const asked = sentRequests(parley.standIn).map(({ modalities }) => modalities);
    expect(asked).toEqual([both, both, ["text"], both, ["text"]]);
  });

  it("in sound is asked for with [AUDIO] as with [TEXT, AUDIO]", async () => {
    const parley = await TestParley.start(kind);
    const more = { reply: { modalities: ["AUDIO"] } };
    const turn = await askByText(parley, await startedConversation(parley), "Say 'hello'", more);
    expect(turn).toMatchObject({ reply: { modalities: ["TEXT", "AUDIO"] }, assistantMessage: spokenReply });
  });

  it("in text is asked for with sound, which is dropped, where the model would take no request without any", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    await askByText(parley, conversationId, "Say 'hello'");
    const turn = await askByText(parley, conversationId, "Say 'in writing'", textOnly);

    expect(sentRequests(parley.standIn).at(-1)?.modalities).toEqual(["text", "audio"]);
    expect(turn).toMatchObject({
      status: "COMPLETED",
      reply: { modalities: ["TEXT"] },
      assistantMessage: { text: "in writing", transcript: null, content: "in writing", audio: null },
      usage: { outputAudioTokens: 20, estimated: false },
    });
    const next = await askByText(parley, conversationId, "Say 'again'", textOnly);
    expect(next.assistantMessage).toMatchObject({ text: "again", audio: null });
    expect(sentRequests(parley.standIn).at(-1)?.messages[3]).toEqual({
      role: "assistant",
      content: "in writing",
    });
  });

  it("is text alone where the model answers in text although sound was asked for, and where it refuses", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "audio-missing", variant: "text" });
    const written = await askByText(parley, conversationId, "Say 'only words'");
    parley.standIn.failNext({ name: "refusal" });
    const refused = await askByText(parley, conversationId, "Say 'nothing'");

    expect(written).toMatchObject({ status: "COMPLETED", error: null, finishReason: "STOP" });
    expect(written.assistantMessage).toMatchObject({ ...writtenReply, text: "only words" });
    expect(refused).toMatchObject({ status: "COMPLETED", error: null, finishReason: "STOP" });
    expect(refused.assistantMessage).toMatchObject(writtenReply);
    expect(refused.assistantMessage?.text).toMatch(/can't assist/);
  });

  it("speaks in every voice", async () => {
    const parley = await TestParley.start(kind, {
      env: { EXTRA_VOICES: "myra" },
      standIn: { extraVoices: ["myra"] },
    });
    const turns = await Promise.all(
      [...providerVoices, "myra"].map(async (voice) => {
        const turn = await askByText(parley, await startedConversation(parley), "Say 'hello'", {
          reply: { voice },
        });
        return [voice, turn.status, turn.reply.voice];
      }),
    );
    const asked = sentRequests(parley.standIn).map(({ audio }) => audio?.voice);
    expect(turns).toEqual([...providerVoices, "myra"].map((voice) => [voice, "COMPLETED", voice]));
    expect(asked.sort()).toEqual([...providerVoices, "myra"].sort());
  });

  it("speaks in the turn's voice, else the conversation's, else the server's", async () => {
    const parley = await TestParley.start(kind, { env: { DEFAULT_VOICE: "shimmer" } });
    const plain = await startedConversation(parley);
    const voiced = await startedConversation(parley, { voice: "echo" });
    const ask = async (id: string, reply: object) =>
      (await askByText(parley, id, "Say 'hello'", { reply })).reply.voice;

    expect(await ask(plain, {})).toBe("shimmer");
    expect(await ask(voiced, {})).toBe("echo");
    expect(await ask(voiced, { voice: "coral" })).toBe("coral");
    expect(sentRequests(parley.standIn).map(({ audio }) => audio?.voice)).toEqual([
      "shimmer",
      "echo",
      "coral",
    ]);
  });

  it("is cut by maxTokens, which it says, and is complete where they suffice", async () => {
    const parley = await TestParley.start(kind);
    const ask = async (sound: boolean, maxTokens: number) => {
      const reply = { modalities: sound ? ["AUDIO"] : ["TEXT"], maxTokens, temperature: 0.5 };
      return askByAudio(parley, await startedConversation(parley), spokenWav(), {
        text: "Count to 40",
        reply,
      });
    };
    const [cutSpoken, cutWritten, whole] = [await ask(true, 12), await ask(false, 12), await ask(true, 500)];

    expect(cutSpoken).toMatchObject({
      status: "COMPLETED",
      finishReason: "LENGTH",
      reply: { maxTokens: 12 },
    });
    expect(cutSpoken.assistantMessage?.audio?.durationMs).toBeLessThan(1_000);
    expect(cutWritten).toMatchObject({ status: "COMPLETED", finishReason: "LENGTH" });
    expect(whole).toMatchObject({ status: "COMPLETED", finishReason: "STOP", reply: { temperature: 0.5 } });
    const sent = sentRequests(parley.standIn);
    expect(sent.map((request) => request.max_completion_tokens)).toEqual([12, 12, 500]);
    expect(sent.map((request) => request.temperature)).toEqual([0.5, 0.5, 0.5]);
  });

  it("that can't be is refused before anything is accepted", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const wrong = [{ modalities: [] }, { voice: "nobody" }, { maxTokens: 0 }, { temperature: 2.5 }];
    for (const reply of wrong) {
      const input = { conversationId, text: "Hello", reply };
      const { errors } = await parley.send(addTextTurn, { input });
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", retryable: false } }]);
    }
    expect(parley.standIn.requests).toHaveLength(0);
    expect((await askByText(parley, conversationId, "Hello")).position).toBe(1);
  });
});

describe("the sound of a reply", () => {
  const formats = [
    { format: "WAV", mimeType: "audio/wav", codec: "pcm-s16", asked: "pcm16", streamed: true },
    {
      format: "PCM16",
      mimeType: "audio/pcm;rate=24000;channels=1",
      codec: null,
      asked: "pcm16",
      streamed: true,
    },
    { format: "MP3", mimeType: "audio/mpeg", codec: "mp3", asked: "mp3", streamed: false },
    { format: "FLAC", mimeType: "audio/flac", codec: "flac", asked: "flac", streamed: false },
    { format: "OPUS", mimeType: "audio/ogg; codecs=opus", codec: "opus", asked: "opus", streamed: false },
    { format: "AAC", mimeType: "audio/aac", codec: "aac", asked: "aac", streamed: false },
  ] as const;

  onEachDatabase("is a file that others can read", (kind) => {
    it("in every format", async () => {
      const parley = await TestParley.start(kind);
      for (const { format, mimeType, codec, asked, streamed } of formats) {
        const conversationId = await startedConversation(parley);
        const turn = await askByText(parley, conversationId, "Say 'hello'", { reply: { format } });
        const clip = turn.assistantMessage?.audio;
        const bytes = await download(clip);

        expect(turn).toMatchObject({ status: "COMPLETED", reply: { format } });
        expect(turn.assistantMessage).toMatchObject({ text: null, transcript: "hello" });
        expect(clip).toMatchObject({
          format,
          mimeType,
          byteLength: bytes.byteLength,
          sha256: sha256Of(bytes),
        });
        // The encoders pad to whole frames.
        expect(clip?.durationMs).toBeGreaterThanOrEqual(995);
        expect(clip?.durationMs).toBeLessThan(1_120);
        const sent = sentRequests(parley.standIn).at(-1);
        expect([sent?.audio?.format, sent?.stream === true]).toEqual([asked, streamed]);
        if (codec === null) expect(bytes.byteLength).toBe(48_000);
        else expect(await readByOthers(bytes)).toEqual({ codec, seconds: expect.closeTo(1, 0) });
      }
    });
  });
});

async function readByOthers(bytes: Uint8Array) {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  return { codec: await track?.getCodec(), seconds: await input.computeDuration() };
}
