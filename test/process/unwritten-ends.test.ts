import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "@jest/globals";
import type { Fault } from "../../src/stand-in/faults/fault.js";
import { freshDatabaseUrl, onEachDatabase } from "../helpers/databases.js";
import type { DatabaseKind } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import { askByText, startedConversation, turnById } from "../helpers/operations.js";
import type { Asked, Clip, Turn } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { ParleyProcess, azureSettings, temporaryFolder, testStandIn } from "../helpers/parley-process.js";
import { refuseCalls, refuseEnds } from "../helpers/refused-writes.js";
import { sha256Of } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import { Heard, turnEvents } from "../helpers/turn-events.js";

const interrupted = { status: "FAILED", error: { code: "INTERRUPTED", retryable: true } };
const words = "one two three four five six seven eight nine ten";

/** A server in a process of its own that has received all of some answers, and can't write their ends. */
async function serverBeforeTheEnd(kind: DatabaseKind, replies: readonly object[], fault?: Fault) {
  const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
  const databaseUrl = await freshDatabaseUrl(kind, folder);
  const env = {
    ...azureSettings(standIn),
    DATABASE_URL: databaseUrl,
    DATA_DIR: folder,
    LEASE_MS: "1000",
    // The log in lines of JSON.
    NODE_ENV: "production",
  };
  const parley = await ParleyProcess.start(folder, env);
  const ask = async (reply: object, waitMs: number) =>
    askByText(parley, await startedConversation(parley), `Say '${words}'.`, { reply, waitMs });
  const whole = await Promise.all(replies.map((reply) => ask(reply, 20_000)));
  const allowEnds = await refuseEnds(await openSql(databaseUrl), databaseUrl);
  if (fault !== undefined) standIn.failNext(fault);
  const held = await Promise.all(replies.map((reply) => ask(reply, 0)));
  for (const { id } of held)
    await parley.program.printed("stderr", new RegExp(`"${id}".*writing the end of a turn failed`));
  const killAndStartAgain = async (betweenThem: () => Promise<void> = () => Promise.resolve()) => {
    await parley.program.kill();
    await allowEnds();
    await betweenThem();
    return ParleyProcess.start(folder, env);
  };
  return { parley, folder, databaseUrl, standIn, whole, held, killAndStartAgain };
}

async function ended(parley: Asked, turnId: string): Promise<Turn> {
  for (;;) {
    const turn = await turnById(parley, turnId);
    if (turn !== null && turn.endedAt !== null) return turn;
    await delay(50);
  }
}

async function download(parley: { url: string }, { url }: Clip): Promise<Buffer> {
  const response = await fetch(new URL(new URL(url).pathname, parley.url));
  return Buffer.from(await response.arrayBuffer());
}

/** The names of the drafts in the store. */
const drafts = (folder: string) => readdir(join(folder, "audio", "drafts"));

/** As if the server had died before the files of these turns had their names, which are answered. */
async function takeNamesBack(folder: string, turns: readonly Turn[]): Promise<string[]> {
  const names: string[] = [];
  await mkdir(join(folder, "audio", "drafts"), { recursive: true });
  for (const { conversation } of turns) {
    const [name = ""] = await readdir(join(folder, "audio", conversation.id));
    const draft = join(folder, "audio", "drafts", `${conversation.id}~${name}.part`);
    names.push(join(folder, "audio", conversation.id, name));
    await rename(names.at(-1) ?? "", draft);
  }
  return names;
}

onEachDatabase("an answer that has come when its server is killed before the turn's end", (kind) => {
  it.each([
    { moment: "after", formats: ["MP3", "OPUS"] },
    { moment: "before", formats: ["FLAC", "AAC"] },
    // Where the file system has no hard links the name is taken first.
    { moment: "while", formats: ["MP3"] },
  ])(
    "is kept where it came as a file, and can be played: killed $moment the file had its name ($formats)",
    async ({ moment, formats }) => {
      const replies = formats.map((format) => ({ format }));
      const { parley, folder, standIn, whole, held, killAndStartAgain } = await serverBeforeTheEnd(
        kind,
        replies,
      );
      const heard = new Map<string, Heard>();
      for (const { id } of held) {
        const listener = new Heard();
        for await (const event of turnEvents("multipart", parley.url, id)) {
          listener.take(event);
          if (event.__typename === "TranscriptDelta") break;
        }
        heard.set(id, listener);
        // Its words are there; its sound is offered only when it is sure to stay.
        const running = await turnById(parley, id);
        expect(running?.assistantMessage).toMatchObject({ transcript: words, audio: null });
      }
      const second = await killAndStartAgain(async () => {
        if (moment === "after") return;
        const names = await takeNamesBack(folder, held);
        if (moment === "while") await Promise.all(names.map((name) => writeFile(name, "")));
      });
      for (const [index, { id }] of held.entries()) {
        const turn = await ended(second, id);
        expect(turn).toMatchObject({ ...interrupted, attempt: 1, assistantMessage: { transcript: words } });
        // The same words are the same sound, but for the random number in each Ogg file: what is kept is all of it.
        const { format, mimeType, byteLength, durationMs, sha256 } = clipOf(whole[index]);
        expect(format).toBe(formats[index]);
        expect(durationMs).toBeGreaterThan(900);
        expect(clipOf(turn)).toMatchObject({ format, mimeType, byteLength, durationMs });
        if (format !== "OPUS") expect(clipOf(turn).sha256).toBe(sha256);
        expect(sha256Of(await download(second, clipOf(turn)))).toBe(clipOf(turn).sha256);
        const listener = heard.get(id) ?? new Heard();
        await listener.takeAll(turnEvents("multipart", second.url, id, listener.cursor));
        expect(listener.types).toEqual(["TurnStarted", "TranscriptDelta", "TurnEnded"]);
        expect(listener.answer).toEqual({ text: null, transcript: words, sound: "" });
      }
      expect(await drafts(folder)).toEqual([]);
      expect(standIn.requests).toHaveLength(2 * held.length);
    },
  );

  it("is kept to its last word and sample where it was spoken or written as it came", async () => {
    const replies = [{ format: "WAV" }, { format: "PCM16" }, { modalities: ["TEXT"] }];
    const { whole, held, killAndStartAgain } = await serverBeforeTheEnd(kind, replies);
    const second = await killAndStartAgain();
    for (const [index, { id }] of held.entries()) {
      const turn = await ended(second, id);
      const { text, transcript, audio } = whole[index]?.assistantMessage ?? {};
      expect(text ?? transcript).toBe(words);
      expect(turn).toMatchObject({ ...interrupted, assistantMessage: { text, transcript } });
      const heard = await new Heard().takeAll(turnEvents("websocket", second.url, id));
      expect([heard.text, heard.transcript]).toEqual([text ?? "", transcript ?? ""]);
      if (audio == null) continue;
      expect(clipOf(turn)).toMatchObject({ durationMs: audio.durationMs, sha256: audio.sha256 });
      expect(sha256Of(await download(second, clipOf(turn)))).toBe(audio.sha256);
    }
  });
});

const filtered = {
  status: "FAILED",
  error: { code: "CONTENT_FILTERED", retryable: false },
  assistantMessage: null,
};

onEachDatabase("a filtered answer of which the end of the turn can't be written", (kind) => {
  it("is not kept by who ends its turn after its server was killed", async () => {
    const fault = { name: "content-filter-answer" } as const;
    const { folder, held, killAndStartAgain } = await serverBeforeTheEnd(kind, [{ format: "WAV" }], fault);
    const second = await killAndStartAgain();
    const turn = await ended(second, held[0]?.id ?? "");
    expect(turn).toMatchObject(filtered);
    expect(await drafts(folder)).toEqual([]);
  });

  it("is gone at once, and its turn ends as filtered when the database takes ends again", async () => {
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "1000" } });
    const allowEnds = await refuseEnds(await openSql(parley.databaseUrl), parley.databaseUrl);
    parley.standIn.failNext({ name: "content-filter-answer" });
    const conversationId = await startedConversation(parley);
    const { id } = await askByText(parley, conversationId, `Say '${words}'.`, { waitMs: 0 });
    await logged(parley, id, "could not recover a turn");
    expect(await turnById(parley, id)).toMatchObject({ status: "RUNNING", assistantMessage: null });
    await allowEnds();
    expect(await endOfTurn(parley, id)).toMatchObject(filtered);
    const { client } = parley.server.context.database;
    expect([await client.answerLogEntry.count(), await client.audioClip.count()]).toEqual([0, 0]);
  });
});

onEachDatabase("an interrupted answer whose sound can't be made whole", (kind) => {
  /** Something that can't be read has the name of the clip. */
  async function startAgain(sql: string) {
    const before = await serverBeforeTheEnd(kind, [{ format: "WAV" }]);
    const second = await before.killAndStartAgain(async () => {
      for (const name of await takeNamesBack(before.folder, before.held)) await mkdir(name);
      if (sql !== "") await (await openSql(before.databaseUrl))(sql);
    });
    return { ...before, second, turn: await ended(second, before.held[0]?.id ?? "") };
  }

  it("is tried again for some leases, then its words are kept alone, and its draft stays for the operator", async () => {
    const { second, turn, folder } = await startAgain("");
    expect(turn).toMatchObject({ ...interrupted, assistantMessage: { transcript: words, audio: null } });
    expect(await drafts(folder)).toHaveLength(1);
    const { stderr } = second.program;
    expect(stderr).toMatch(/"level":50.*could not recover a turn/);
    expect(stderr).toMatch(/"level":50.*the sound of an interrupted answer could not be made whole/);
    const next = await askByText(second, turn.conversation.id, "Say 'next'.");
    expect(next).toMatchObject({ status: "COMPLETED", position: 2 });
  });

  it("is not waited for where the turn was cancelled", async () => {
    const { second, turn } = await startAgain('UPDATE "Turn" SET "cancelRequestedAt" = "startedAt"');
    expect(turn).toMatchObject({ status: "CANCELLED", assistantMessage: { transcript: words, audio: null } });
    expect(second.program.stderr).not.toContain("could not recover a turn");
  });
});

function clipOf(turn: Turn | undefined): Clip {
  const clip = turn?.assistantMessage?.audio;
  if (clip == null) throw new Error(`a turn without a clip: ${JSON.stringify(turn)}`);
  return clip;
}

onEachDatabase("a turn whose end the database refuses for longer than it is tried", (kind) => {
  it.each([{ format: "WAV" }, { format: "MP3" }])(
    "is ended later by the same server, with all that was received (%j)",
    async (reply) => {
      const parley = await TestParley.start(kind, { env: { LEASE_MS: "1000" } });
      const ask = async (waitMs: number) =>
        askByText(parley, await startedConversation(parley), `Say '${words}'.`, { reply, waitMs });
      const { usage, ...first } = await ask(20_000);
      const whole = clipOf({ usage, ...first });
      const allowEnds = await refuseEnds(await openSql(parley.databaseUrl), parley.databaseUrl);
      const { id, conversation } = await ask(0);
      const heard = new Heard();
      const listening = heard.takeAll(turnEvents("websocket", parley.url, id));
      await logged(parley, id, "could not write the end of a turn");
      // Nothing else was lost, and nothing else is asked for meanwhile.
      await logged(parley, id, "could not recover a turn");
      expect(await turnById(parley, id)).toMatchObject({ status: "RUNNING", endedAt: null });
      await allowEnds();

      expect(await endOfTurn(parley, id)).toMatchObject({ ...interrupted, attempt: 1 });
      const turn = await turnById(parley, id);
      const { durationMs, sha256 } = whole;
      expect(turn?.assistantMessage).toMatchObject({ transcript: words, audio: { durationMs, sha256 } });
      expect(sha256Of(await download(parley, clipOf(turn ?? undefined)))).toBe(sha256);
      // By the provider's figures, which only this server knew.
      expect(turn?.usage).toEqual(usage);
      await listening;
      expect([heard.types.at(-1), heard.transcript]).toEqual(["TurnEnded", words]);
      expect(parley.standIn.requests).toHaveLength(2);
      // The conversation can go on.
      const next = await askByText(parley, conversation.id, "Say 'next'.");
      expect(next).toMatchObject({ status: "COMPLETED", position: 2 });
    },
  );
});

onEachDatabase("what a turn's call has cost", (kind) => {
  it("is counted by the provider's figures as soon as the database takes it, whoever has ended the turn", async () => {
    const parley = await TestParley.start(kind, { env: { LEASE_MS: "1000" } });
    const ask = async (waitMs: number) =>
      askByText(parley, await startedConversation(parley), `Say '${words}'.`, { waitMs });
    const { usage } = await ask(20_000);
    const allowCalls = await refuseCalls(await openSql(parley.databaseUrl), parley.databaseUrl);
    const { id } = await ask(0);
    await logged(parley, id, "could not write what the calls of a turn have cost");
    await allowCalls();
    await endOfTurn(parley, id);
    while ((await turnById(parley, id))?.usage?.estimated !== false) await delay(50);
    expect((await turnById(parley, id))?.usage).toEqual(usage);
    expect(await parley.server.context.database.client.modelCall.count()).toBe(2);
  });
});

/** Resolves once the server has told something of the turn. */
async function logged(parley: TestParley, turnId: string, what: string): Promise<void> {
  while (!parley.log.some((line) => line.includes(turnId) && line.includes(what))) await delay(10);
}
