import { once } from "node:events";
import { request as startRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { readdir, stat } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "@jest/globals";
import { addAudioTurn, addTextTurn, askByText, startedConversation } from "../helpers/operations.js";
import {
  ParleyProcess,
  azureSettings,
  spawnParley,
  temporaryFolder,
  testStandIn,
} from "../helpers/parley-process.js";
import { spokenWav } from "../helpers/sound.js";
import { openSql } from "../helpers/sql.js";
import { subscribe, transports } from "../helpers/subscriptions.js";
import type { Transport } from "../helpers/subscriptions.js";
import { Heard, turnEvents } from "../helpers/turn-events.js";

/** A server in the middle of a turn whose client waits for its end. */
async function inTheMiddle(graceMs: number) {
  const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
  const env = { ...azureSettings(standIn), DATA_DIR: folder, SHUTDOWN_GRACE_MS: String(graceMs) };
  const parley = await ParleyProcess.start(folder, env);
  const conversationId = await startedConversation(parley);
  const pause = standIn.pauseNext("after-first-audio");
  const answer = askByText(parley, conversationId, "Count to 20.");
  // Where the server ends at once, so does the connection.
  answer.catch(() => undefined);
  const request = await pause.reached;
  const readTurns = async () => {
    const sql = await openSql(`file:${folder}/parley.db`);
    return sql('SELECT "status", "errorCode", "activeConversationId" FROM "Turn"');
  };
  return { parley, folder, program: parley.program, conversationId, pause, request, answer, readTurns };
}

/** A turn by audio whose sound has been sent by half. */
function halfAnUpload(url: string, conversationId: string) {
  const sound = spokenWav(4_000);
  const half = sound.byteLength / 2;
  const part = (name: string, value: string) =>
    `--B\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const variables = { input: { conversationId, audio: { upload: null } } };
  const head =
    part("operations", JSON.stringify({ query: addAudioTurn, variables })) +
    part("map", JSON.stringify({ 0: ["variables.input.audio.upload"] })) +
    '--B\r\ncontent-disposition: form-data; name="0"; filename="a.wav"\r\n\r\n';
  const sending = startRequest(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=B", "apollo-require-preflight": "true" },
  });
  const answered = once(sending, "response");
  sending.write(head);
  sending.write(sound.subarray(0, half));
  return {
    /** Resolves once some of the sound is on the server's disk. */
    async received(folder: string): Promise<void> {
      const drafts = join(folder, "audio", "drafts");
      for (;;) {
        const names = await readdir(drafts);
        const sizes = await Promise.all(names.map(async (name) => (await stat(join(drafts, name))).size));
        // The turn that runs has a draft, too, of 0.4 s.
        if (sizes.some((size) => size > 40_000)) return;
        await delay(10);
      }
    },
    async finish(): Promise<{ errors: unknown }> {
      sending.write(sound.subarray(half));
      sending.end("\r\n--B--\r\n");
      const [response] = (await answered) as [IncomingMessage];
      return JSON.parse(await text(response)) as { errors: unknown };
    },
  };
}

/** The ends of turns that a listener hears of, until the server closes: a socket with 1001, a stream with an error. */
async function changesUntilClosed(transport: Transport, url: string, id: string, after: string) {
  const document = `subscription ($id: ID!, $after: String) {
    conversationEvents(conversationId: $id, after: $after) { ... on ConversationTurnChanged { turn { status } } }
  }`;
  const told: string[] = [];
  try {
    type Changed = { conversationEvents: { turn: { status: string } } };
    for await (const { data, errors } of subscribe<Changed>(transport, url, document, { id, after })) {
      if (errors !== undefined)
        return { told, closed: errors[0]?.extensions.code === "SERVER_SHUTTING_DOWN" };
      if (data != null) told.push(data.conversationEvents.turn.status);
    }
  } catch (error) {
    return { told, closed: (error as { code?: unknown }).code === 1001 };
  }
  return { told, closed: false };
}

describe("a server that is told to stop", () => {
  it("gives a running turn its grace and ends it then as interrupted, keeps its words, answers who waits, and ends with 0", async () => {
    const { program, answer, request, readTurns } = await inTheMiddle(300);
    program.signal("SIGTERM");
    await program.printed("stderr", /waiting for running turns/);
    const turn = await answer;
    expect(turn).toMatchObject({ status: "FAILED", error: { code: "INTERRUPTED", retryable: true } });
    expect(turn.assistantMessage?.audio?.byteLength).toBeGreaterThan(44);
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(await request.ended).toBe("disconnected");
    expect(await readTurns()).toEqual([
      { status: "FAILED", errorCode: "INTERRUPTED", activeConversationId: null },
    ]);
  });

  it("tells who listens how the turn ended, then closes: sockets as going away, streams with a last error", async () => {
    const { parley, program, conversationId } = await inTheMiddle(300);
    const query = "query ($id: ID!) { conversation(id: $id) { activeTurn { id } eventCursor } }";
    type Active = { conversation: { activeTurn: { id: string }; eventCursor: string } };
    const { conversation } = await parley.ask<Active>(query, { id: conversationId });
    const listeners = transports.map((transport) => ({
      turn: new Heard().takeAll(turnEvents(transport, parley.url, conversation.activeTurn.id)),
      changes: changesUntilClosed(transport, parley.url, conversationId, conversation.eventCursor),
    }));
    // Nobody is told anything new until the end, so they listen once they know what was.
    for await (const event of turnEvents("websocket", parley.url, conversation.activeTurn.id))
      if (event.__typename === "AudioDelta") break;
    program.signal("SIGTERM");
    for (const { turn, changes } of listeners) {
      const heard = await turn;
      expect([heard.types.at(-1), heard.sound.byteLength > 0]).toEqual(["TurnEnded", true]);
      expect(await changes).toEqual({ told: ["FAILED"], closed: true });
    }
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  it("is alive and not ready, accepts nothing more, and ends as soon as what runs has ended", async () => {
    const { parley, program, conversationId, pause, answer } = await inTheMiddle(600_000);
    const other = await startedConversation(parley);
    program.signal("SIGINT");
    await program.printed("stderr", /shutting down/);
    const readiness = await fetch(`${parley.url}/readyz`);
    expect([readiness.status, await readiness.json()]).toMatchObject([503, { ready: false }]);
    expect((await fetch(`${parley.url}/healthz`)).status).toBe(200);
    const input = { conversationId: other, text: "Say 'no'." };
    const { errors } = await parley.send(addTextTurn, { input });
    expect(errors).toMatchObject([{ extensions: { code: "SERVER_SHUTTING_DOWN", retryable: true } }]);
    const { data } = await parley.send<object>("query ($id: ID!) { conversation(id: $id) { id } }", {
      id: conversationId,
    });
    expect(data).toEqual({ conversation: { id: conversationId } });
    pause.release();
    expect(await answer).toMatchObject({ status: "COMPLETED" });
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  it("refuses an upload that it was receiving, once the last byte is there, and keeps nothing of it", async () => {
    const { parley, folder, program, pause, answer } = await inTheMiddle(600_000);
    const other = await startedConversation(parley);
    const upload = halfAnUpload(parley.url, other);
    await upload.received(folder);
    program.signal("SIGTERM");
    await program.printed("stderr", /waiting for running turns/);
    const { errors } = await upload.finish();
    expect(errors).toMatchObject([{ extensions: { code: "SERVER_SHUTTING_DOWN", retryable: true } }]);
    pause.release();
    expect(await answer).toMatchObject({ status: "COMPLETED" });
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(await readdir(join(folder, "audio", "drafts"))).toEqual([]);
    expect(await readdir(join(folder, "audio"))).not.toContain(other);
  });

  it("before it is ready closes what it has begun, and ends with 0", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    // A database that takes its time: nothing is answered.
    const database = createServer();
    database.listen(0, "127.0.0.1");
    await once(database, "listening");
    const { port } = database.address() as AddressInfo;
    const DATABASE_URL = `postgresql://parley@127.0.0.1:${port}/parley`;
    const program = spawnParley(folder, {
      ...azureSettings(standIn),
      DATA_DIR: folder,
      DATABASE_URL,
      PORT: "0",
    });
    const [socket] = (await once(database, "connection")) as [Socket];
    program.signal("SIGTERM");
    await program.printed("stderr", /shutting down/);
    database.close();
    socket.destroy();
    expect(await program.ended).toMatchObject({ code: 0, stdout: "" });
  });

  it("twice ends at once", async () => {
    const { program, readTurns } = await inTheMiddle(600_000);
    program.signal("SIGTERM");
    await program.printed("stderr", /a second signal ends at once/);
    program.signal("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 1 });
    // As after a crash: the next start ends the turn.
    expect(await readTurns()).toMatchObject([{ status: "RUNNING" }]);
  });
});
