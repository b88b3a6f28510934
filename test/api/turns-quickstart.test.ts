import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { inShort, lastMessages, sentRequests } from "../helpers/exchanges.js";
import { askByAudio, askByText, startedConversation, turnById } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { download, sha256Of } from "../helpers/sound.js";

const question = "Is a golden retriever a good family dog?";
const textOnly = { reply: { modalities: ["TEXT"] } };

onEachDatabase("the quickstart's programs", (kind) => {
  it("answer a text in words and in a WAV file that any player takes", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const turn = await askByText(parley, conversationId, question);

    expect(turn).toMatchObject({
      position: 1,
      status: "COMPLETED",
      attempt: 1,
      finishReason: "STOP",
      error: null,
      omittedTurns: 0,
      model: "parley-stand-in",
      conversation: { id: conversationId },
      userMessage: { role: "USER", text: question, transcript: null, content: question, audio: null },
      assistantMessage: { role: "ASSISTANT", text: null },
      reply: { modalities: ["TEXT", "AUDIO"], voice: "alloy", format: "WAV" },
    });
    expect(turn.assistantMessage?.transcript).toMatch(/^Yes\. A golden retriever is a good family dog/);
    expect(turn.assistantMessage?.content).toBe(turn.assistantMessage?.transcript);
    expect(Date.parse(turn.startedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(turn.createdAt));
    expect(Date.parse(turn.endedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(turn.startedAt ?? ""));

    const clip = turn.assistantMessage?.audio;
    const wav = await download(clip);
    expect(clip).toMatchObject({ format: "WAV", mimeType: "audio/wav", durationMs: 1_000 });
    expect(clip).toMatchObject({ byteLength: wav.byteLength, sha256: sha256Of(wav) });
    expect(clip?.providerAudioId).toMatch(/^audio_/);
    expect(Date.parse(clip?.providerAudioExpiresAt ?? "")).toBeGreaterThan(Date.now());
    expect(readCanonicalHeader(wav)).toEqual({
      names: ["RIFF", "WAVE", "fmt ", "data"],
      sizes: [wav.byteLength - 8, 16, wav.byteLength - 44],
      encoding: { pcm: 1, channels: 1, sampleRate: 24_000, byteRate: 48_000, blockAlign: 2, bits: 16 },
    });
    expect(wav.byteLength).toBe(44 + 48_000);
    expect(await turnById(parley, turn.id)).toEqual(turn);
  });

  it("answer that WAV file, sent back with a text, in words and in sound", async () => {
    const parley = await TestParley.start(kind);
    const spoken = await askByText(parley, await startedConversation(parley), question);
    const wav = await download(spoken.assistantMessage?.audio);
    const text = "Describe in detail the spoken audio input.";
    const turn = await askByAudio(parley, await startedConversation(parley), wav, { text });

    expect(turn).toMatchObject({
      status: "COMPLETED",
      userMessage: {
        text,
        transcript: null,
        content: text,
        audio: {
          format: "WAV",
          mimeType: "audio/wav",
          durationMs: 1_000,
          byteLength: wav.byteLength,
          sha256: sha256Of(wav),
          providerAudioId: null,
          providerAudioExpiresAt: null,
        },
      },
      assistantMessage: { text: null, audio: { format: "WAV", durationMs: 1_000 } },
    });
    expect(turn.assistantMessage?.transcript).toContain("a spoken message of 1.0 seconds");
    expect(await download(turn.userMessage.audio)).toEqual(wav);
    const sent = {
      type: "input_audio",
      input_audio: { format: "wav", data: { byteLength: wav.byteLength, sha256: sha256Of(wav) } },
    };
    expect(sentRequests(parley.standIn).at(-1)?.messages).toEqual([
      { role: "user", content: [{ type: "text", text }, sent] },
    ]);
  });

  it("go on over several turns, referring to the earlier answer by its audio id, and end in text", async () => {
    const parley = await TestParley.start(kind);
    const spoken = await askByText(parley, await startedConversation(parley), question);
    const wav = await download(spoken.assistantMessage?.audio);
    const conversationId = await startedConversation(parley);
    const first = await askByAudio(parley, conversationId, wav, { text: "What about this dog?" });
    const last = await askByText(
      parley,
      conversationId,
      "Very concisely summarize the favorability.",
      textOnly,
    );

    expect(last).toMatchObject({
      position: 2,
      status: "COMPLETED",
      finishReason: "STOP",
      reply: { modalities: ["TEXT"] },
      assistantMessage: { transcript: null, audio: null },
    });
    expect(last.assistantMessage?.text).not.toBe("");
    expect(last.assistantMessage?.content).toBe(last.assistantMessage?.text);
    const request = sentRequests(parley.standIn).at(-1);
    expect(request).toMatchObject({ modalities: ["text"], stream: true });
    expect(request?.audio).toBeUndefined();
    expect(request?.messages.map(inShort)).toEqual([
      "user: What about this dog? + <sound>",
      `assistant: <${first.assistantMessage?.audio?.providerAudioId}>`,
      "user: Very concisely summarize the favorability.",
    ]);
    expect(request?.messages[1]).toEqual({
      role: "assistant",
      audio: { id: first.assistantMessage?.audio?.providerAudioId },
    });
  });

  it("go on after the server was stopped and started again, with words, audio ids and sound", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley, { instructions: "Be brief." });
    const first = await askByText(parley, conversationId, "My name is Ada.");
    const wav = await download(first.assistantMessage?.audio);
    await parley.restart();

    const kept = await turnById(parley, first.id);
    expect(await download(kept?.assistantMessage?.audio)).toEqual(wav);
    const second = await askByText(parley, conversationId, "What is my name?");
    expect(second).toMatchObject({ position: 2, status: "COMPLETED" });
    expect(second.assistantMessage?.transcript).toBe("Your name is Ada. You told me earlier.");
    expect(lastMessages(parley.standIn)).toEqual([
      "system: Be brief.",
      "user: My name is Ada.",
      `assistant: <${first.assistantMessage?.audio?.providerAudioId}>`,
      "user: What is my name?",
    ]);
  });
});

function readCanonicalHeader(wav: Buffer) {
  const name = (offset: number) => wav.toString("latin1", offset, offset + 4);
  return {
    names: [name(0), name(8), name(12), name(36)],
    sizes: [wav.readUInt32LE(4), wav.readUInt32LE(16), wav.readUInt32LE(40)],
    encoding: {
      pcm: wav.readUInt16LE(20),
      channels: wav.readUInt16LE(22),
      sampleRate: wav.readUInt32LE(24),
      byteRate: wav.readUInt32LE(28),
      blockAlign: wav.readUInt16LE(32),
      bits: wav.readUInt16LE(34),
    },
  };
}
