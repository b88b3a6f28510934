import { askByText, startedConversation } from "../helpers/operations.js";
import type { TestParley } from "../helpers/parley.js";
import { keyOf } from "../helpers/people.js";

/** As a page writes the id of a key. */
const keyId = "apikey_01K…";

const origin = "http://127.0.0.1:4000";

const rename = /* GraphQL */ `
  mutation ($id: ID!) {
    updateConversation(input: { conversationId: $id, title: "Golden retrievers" }) {
      conversation {
        id
      }
    }
  }
`;

/** What the documentation writes in capitals stands for something of this server. */
export type Scene = (text: string) => string;

/** A conversation with an answered turn and, where the text wants one, with a failed one behind it. */
export async function setScene(parley: TestParley, text: string): Promise<Scene> {
  const conversationId = await startedConversation(parley, { title: "Dogs" });
  const turn = await askByText(parley, conversationId, "Is a golden retriever a good family dog?");
  const names = new Map([
    [origin, parley.url],
    [origin.replace("http", "ws"), parley.url.replace("http", "ws")],
    ["EVENT_CURSOR", await eventCursorOf(parley, conversationId)],
    ["CONVERSATION_ID", conversationId],
    ["VIEWER_ID", "viewer_local"],
    ["CLIP_URL", turn.assistantMessage?.audio?.url ?? ""],
  ]);
  // So that an event follows the cursor.
  await parley.ask(rename, { id: conversationId });
  if (text.includes("FAILED_TURN_ID")) {
    parley.standIn.failNext({ name: "server-error" });
    names.set("FAILED_TURN_ID", (await askByText(parley, conversationId, "What does it need every day?")).id);
  }
  names.set("TURN_ID", turn.id);
  if (text.includes(keyId)) names.set(keyId, (await keyOf(parley, "ada")).id);
  return (words) => [...names].reduce((result, [name, value]) => result.replaceAll(name, value), words);
}

async function eventCursorOf(parley: TestParley, id: string): Promise<string> {
  const { conversation } = await parley.ask<{ conversation: { eventCursor: string } }>(
    "query ($id: ID!) { conversation(id: $id) { eventCursor } }",
    { id },
  );
  return conversation.eventCursor;
}
