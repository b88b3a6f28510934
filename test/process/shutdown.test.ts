import { describe, expect, it } from "@jest/globals";
import { askByText, addTextTurn, startedConversation } from "../helpers/operations.js";
import { ParleyProcess, azureSettings, temporaryFolder, testStandIn } from "../helpers/parley-process.js";
import { openSql } from "../helpers/sql.js";

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
  return { parley, program: parley.program, conversationId, pause, request, answer, readTurns };
}

describe("a server that is told to stop", () => {
  it("gives a running turn its grace and ends it then as interrupted, keeps its words, answers who waits, and ends with 0", async () => {
    const { program, answer, request, readTurns } = await inTheMiddle(300);
    program.signal("SIGTERM");
    const turn = await answer;
    expect(turn).toMatchObject({ status: "FAILED", error: { code: "INTERRUPTED", retryable: true } });
    expect(turn.assistantMessage?.audio?.byteLength).toBeGreaterThan(44);
    expect(await program.ended).toMatchObject({ code: 0 });
    expect(await request.ended).toBe("disconnected");
    expect(await readTurns()).toEqual([
      { status: "FAILED", errorCode: "INTERRUPTED", activeConversationId: null },
    ]);
  });

  it("accepts nothing more, and ends as soon as what runs has ended", async () => {
    const { parley, program, conversationId, pause, answer } = await inTheMiddle(600_000);
    const other = await startedConversation(parley);
    program.signal("SIGINT");
    await program.printed("stderr", /shutting down/);
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
