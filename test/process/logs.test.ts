import { describe, expect, it } from "@jest/globals";
import { addTextTurn, askByAudio, askByText, startedConversation } from "../helpers/operations.js";
import { ParleyProcess, azureSettings, temporaryFolder, testStandIn } from "../helpers/parley-process.js";
import { openSql } from "../helpers/sql.js";
import { silentWav } from "../stand-in/support.js";

describe("the log of a server in production", () => {
  it("is one JSON object a line and tells of turns and faults, but no key, no words and no sound", async () => {
    const [folder, standIn] = [await temporaryFolder(), await testStandIn()];
    const parley = await ParleyProcess.start(folder, {
      ...azureSettings(standIn),
      AZURE_OPENAI_API_KEY: "secretkey-1",
      NODE_ENV: "production",
      LOG_LEVEL: "trace",
      DATA_DIR: folder,
    });
    const conversationId = await startedConversation(parley, {
      title: "secrettitle",
      instructions: "secretinstructions",
    });
    await askByText(parley, conversationId, "Say 'secretwords'.");
    await askByAudio(parley, conversationId, silentWav(200), { text: "Say 'secretwords'." });
    for (const name of [
      "rejected",
      "unauthorized",
      "content-filter-prompt",
      "stream-error",
      "cut",
    ] as const) {
      standIn.failNext({ name });
      const turn = await askByText(parley, conversationId, "Say 'secretwords'.");
      expect(turn.status).toBe("FAILED");
    }
    await parley.send('mutation { nonsense(text: "secretwords") }');
    // A fault of the server while it writes the words: the tables are not as it expects them.
    const sql = await openSql(`file:${folder}/parley.db`);
    await sql('ALTER TABLE "Message" RENAME COLUMN "text" TO "words"');
    const input = { conversationId, text: "Say 'secretwords'." };
    const { errors } = await parley.send(addTextTurn, { input });
    expect(errors).toMatchObject([{ extensions: { code: "INTERNAL_SERVER_ERROR" } }]);
    expect(JSON.stringify(errors)).not.toContain("words");

    const { stderr } = await parley.stop();
    const lines = stderr.trimEnd().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as { msg?: string; requestId?: string });
    expect(entries.filter(({ msg }) => msg === "turn failed")).toHaveLength(5);
    expect(entries.filter(({ msg }) => msg === "turn ended")).toHaveLength(2);
    // What the client was told can be found in the log.
    const requestId = errors[0]?.extensions.requestId;
    expect(entries.filter((entry) => entry.requestId === requestId)).not.toEqual([]);
    // The folder that the code lies in may have any name.
    expect(lines.filter((line) => /secret(key|title|instructions|words)/i.test(line))).toEqual([]);
  });
});
