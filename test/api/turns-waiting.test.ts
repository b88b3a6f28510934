import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { endOfTurn } from "../helpers/exchanges.js";
import {
  addAudioTurn,
  addTextTurn,
  askByText,
  retryTurn,
  startedConversation,
  turnById,
} from "../helpers/operations.js";
import type { Turn } from "../helpers/operations.js";
import { TestParley, sendOperation } from "../helpers/parley.js";
import { keptSoundFiles, spokenWav } from "../helpers/sound.js";

const readConversation = /* GraphQL */ `
  query ($id: ID!) {
    conversation(id: $id) {
      archivedAt
      createdAt
      updatedAt
      lastActivityAt
      activeTurn {
        id
      }
      turns {
        totalCount
      }
    }
  }
`;

interface Conversation {
  archivedAt: string | null;
  createdAt: string;
  updatedAt: string;
  lastActivityAt: string;
  activeTurn: { id: string } | null;
  turns: { totalCount: number };
}

async function conversationById(parley: TestParley, id: string): Promise<Conversation> {
  return (await parley.ask<{ conversation: Conversation }>(readConversation, { id })).conversation;
}

onEachDatabase("waiting for a turn", (kind) => {
  it("ends when waitMs is over: the mutation answers with the turn as it is, and turn(id) tells the rest", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("before-answer");
    const asked = await askByText(parley, conversationId, "Say 'later'", { waitMs: 0 });
    expect(["QUEUED", "RUNNING"]).toContain(asked.status);
    expect(asked).toMatchObject({ assistantMessage: null, finishReason: null, endedAt: null, usage: null });

    await pause.reached;
    const running = await turnById(parley, asked.id);
    expect(running).toMatchObject({ status: "RUNNING", endedAt: null });
    expect(running?.startedAt).not.toBeNull();
    expect((await conversationById(parley, conversationId)).activeTurn).toEqual({ id: asked.id });
    pause.release();
    const ended = await endOfTurn(parley, asked.id);
    expect(ended).toMatchObject({ status: "COMPLETED", assistantMessage: { transcript: "later" } });
    expect(ended.eventCursor).not.toBe(running?.eventCursor);
    expect((await conversationById(parley, conversationId)).activeTurn).toBeNull();
  });

  it("takes as long as it has to, and no longer, where waitMs is short", async () => {
    const parley = await TestParley.start(kind);
    const pause = parley.standIn.pauseNext("before-answer");
    const turn = await askByText(parley, await startedConversation(parley), "Say 'later'", { waitMs: 60 });
    expect(["QUEUED", "RUNNING"]).toContain(turn.status);
    await pause.reached;
    pause.release();
    expect(await endOfTurn(parley, turn.id)).toMatchObject({ status: "COMPLETED", attempt: 1 });
  });

  it("is from 0 to 120,000 ms, else nothing is accepted", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    for (const waitMs of [-1, 120_001]) {
      const { errors } = await parley.send(addTextTurn, { input: { conversationId, text: "Hello", waitMs } });
      expect(errors).toMatchObject([
        { extensions: { code: "BAD_USER_INPUT" }, message: expect.stringContaining("waitMs") },
      ]);
    }
    expect((await conversationById(parley, conversationId)).turns.totalCount).toBe(0);
    expect(await askByText(parley, conversationId, "Say 'hello'", { waitMs: 120_000 })).toMatchObject({
      status: "COMPLETED",
    });
  });

  it("can be given up by hanging up: the turn goes on to its end", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("after-first-audio");
    const client = new AbortController();
    const hungUp = fetch(`${parley.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        query: addTextTurn,
        variables: { input: { conversationId, text: "Say 'nobody listens'" } },
      }),
      signal: client.signal,
    }).then(
      () => false,
      () => true,
    );
    await pause.reached;
    const { activeTurn } = await conversationById(parley, conversationId);
    client.abort();
    expect(await hungUp).toBe(true);
    pause.release();

    const turn = await endOfTurn(parley, activeTurn?.id ?? "");
    expect(turn).toMatchObject({ status: "COMPLETED", assistantMessage: { transcript: "nobody listens" } });
    expect(turn.assistantMessage?.audio?.durationMs).toBe(1_000);
  });
});

onEachDatabase("a conversation", (kind) => {
  it("has one turn at a time: a second one is told which turn runs, and leaves nothing behind", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("before-answer");
    const first = await askByText(parley, conversationId, "Say 'first'", { waitMs: 0 });
    await pause.reached;

    const input = { conversationId, text: "Say 'second'" };
    const audio = { base64: Buffer.from(spokenWav()).toString("base64") };
    const refusals = [
      await parley.send(addTextTurn, { input }),
      await parley.send(addAudioTurn, { input: { conversationId, audio } }),
    ];
    for (const { errors } of refusals) {
      expect(errors).toMatchObject([
        { extensions: { code: "TURN_IN_PROGRESS", retryable: true, turnId: first.id } },
      ]);
    }
    // But for the draft of the answer that is awaited.
    const files = await keptSoundFiles(parley);
    expect(files.filter((file) => !file.includes(`drafts/${conversationId}~`))).toEqual([]);
    pause.release();
    await endOfTurn(parley, first.id);
    expect(await askByText(parley, conversationId, "Say 'second'")).toMatchObject({ position: 2 });
    expect(parley.standIn.requests).toHaveLength(2);
  });

  it("takes exactly one of several turns that come at the same moment", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("before-answer");
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, number) =>
        parley.send<{ addTextTurn: { turn: Turn } } | null>(addTextTurn, {
          input: { conversationId, text: `Say '${number}'`, waitMs: 0 },
        }),
      ),
    );
    const won = answers.flatMap(({ data }) => (data === null ? [] : [data.addTextTurn.turn]));
    const lost = answers.flatMap(({ errors }) => errors);
    expect([won.length, lost.length]).toEqual([1, 11]);
    for (const { extensions } of lost)
      expect(extensions).toMatchObject({ code: "TURN_IN_PROGRESS", turnId: won[0]?.id });
    await pause.reached;
    pause.release();
    expect(await endOfTurn(parley, won[0]?.id ?? "")).toMatchObject({ status: "COMPLETED", position: 1 });
    expect(parley.standIn.requests).toHaveLength(1);
  });

  it("runs beside other conversations, however many", async () => {
    const parley = await TestParley.start(kind);
    const pause = parley.standIn.pauseNext("before-answer");
    const held = await askByText(parley, await startedConversation(parley), "Say 'held'", { waitMs: 0 });
    await pause.reached;
    const free = await Promise.all(
      Array.from({ length: 25 }, async (_, number) =>
        askByText(parley, await startedConversation(parley), `Say '${number}'`),
      ),
    );
    expect(free.map(({ status, assistantMessage }) => [status, assistantMessage?.transcript])).toEqual(
      free.map((_, number) => ["COMPLETED", String(number)]),
    );
    expect((await turnById(parley, held.id))?.status).toBe("RUNNING");
    pause.release();
    expect((await endOfTurn(parley, held.id)).status).toBe("COMPLETED");
  });

  it("that is archived takes a turn, which takes it out of the archive", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const archive = /* GraphQL */ `
      mutation ($input: ArchiveConversationInput!) {
        archiveConversation(input: $input) {
          conversation {
            archivedAt
          }
        }
      }
    `;
    await parley.ask(archive, { input: { conversationId } });
    expect((await conversationById(parley, conversationId)).archivedAt).not.toBeNull();
    await askByText(parley, conversationId, "Say 'back again'");
    expect((await conversationById(parley, conversationId)).archivedAt).toBeNull();
  });

  it("was last active when a turn was accepted or ended, and not when it was renamed or archived", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const started = await conversationById(parley, conversationId);
    expect(started.lastActivityAt).toBe(started.createdAt);

    const pause = parley.standIn.pauseNext("before-answer");
    const turn = await askByText(parley, conversationId, "Say 'hello'", { waitMs: 0 });
    await pause.reached;
    const accepted = await conversationById(parley, conversationId);
    expect(accepted.lastActivityAt).toBe(turn.createdAt);
    pause.release();
    const { endedAt } = await endOfTurn(parley, turn.id);
    expect((await conversationById(parley, conversationId)).lastActivityAt).toBe(endedAt);

    const change = /* GraphQL */ `
      mutation ($id: ID!) {
        updateConversation(input: { conversationId: $id, title: "Another name" }) {
          conversation {
            id
          }
        }
        archiveConversation(input: { conversationId: $id }) {
          conversation {
            id
          }
        }
      }
    `;
    await parley.ask(change, { id: conversationId });
    const changed = await conversationById(parley, conversationId);
    expect(changed.lastActivityAt).toBe(endedAt);
    expect(Date.parse(changed.updatedAt)).toBeGreaterThanOrEqual(Date.parse(endedAt ?? ""));
  });
});

onEachDatabase("a server that shuts down", (kind) => {
  it("lets a running turn come to its end, and accepts no further ones meanwhile", async () => {
    const parley = await TestParley.start(kind, { env: { SHUTDOWN_GRACE_MS: "60000" } });
    const [busy, idle] = [await startedConversation(parley), await startedConversation(parley)];
    parley.standIn.failNext({ name: "server-error" });
    const failed = await askByText(parley, idle, "Say 'failed'");
    const pause = parley.standIn.pauseNext("before-answer");
    const waiting = askByText(parley, busy, "Say 'just in time'");
    await pause.reached;
    const closed = parley.server.close();

    const refusals = [
      await parley.send(addTextTurn, { input: { conversationId: idle, text: "Say 'too late'" } }),
      await parley.send(retryTurn, { input: { turnId: failed.id } }),
    ];
    for (const { errors } of refusals)
      expect(errors).toMatchObject([{ extensions: { code: "SERVER_SHUTTING_DOWN", retryable: true } }]);
    pause.release();
    expect(await waiting).toMatchObject({ status: "COMPLETED" });
    await closed;
    await parley.restart();
    expect(await turnById(parley, failed.id)).toEqual(failed);
    expect(parley.standIn.requests).toHaveLength(2);
  });
});

describe("two servers on one Postgres database", () => {
  it("share a conversation: the other one knows the running turn, and waits for its end with it", async () => {
    const parley = await TestParley.start("postgresql");
    const conversationId = await startedConversation(parley);
    const other = await parley.startAnother();
    const pause = parley.standIn.pauseNext("before-answer");
    const input = { conversationId, text: "Say 'hello'", idempotencyKey: "once" };
    const asked = await askByText(parley, conversationId, input.text, { ...input, waitMs: 0 });
    await pause.reached;
    const second = { conversationId, text: "Say 'second'" };
    const { errors } = await sendOperation(other.url, addTextTurn, { input: second });
    expect(errors).toMatchObject([{ extensions: { code: "TURN_IN_PROGRESS", turnId: asked.id } }]);
    const waiting = sendOperation<{ addTextTurn: { turn: Turn } }>(other.url, addTextTurn, { input });
    pause.release();
    const { turn } = (await waiting).data.addTextTurn;
    expect(turn).toMatchObject({ id: asked.id, status: "COMPLETED" });
    expect(parley.standIn.requests).toHaveLength(1);
  });
});
