import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const server = process.argv[2] ?? process.env.PARLEY_URL ?? "http://127.0.0.1:4000";
const token = process.env.PARLEY_TOKEN;
const signIn = token ? { authorization: `Bearer ${token}` } : {};
const accept = "multipart/mixed;subscriptionSpec=1.0, application/json";

async function* send(query, variables) {
  const headers = { "content-type": "application/json", accept, ...signIn };
  const body = JSON.stringify({ query, variables });
  const answer = await fetch(`${server}/graphql`, { method: "POST", headers, body });
  // An answer, and each event of a subscription, is JSON on a line of its own.
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body) })) {
    const result = line.startsWith("{") ? JSON.parse(line) : {};
    const { data, errors } = result.payload ?? result;
    if (errors) throw new Error(errors[0].message);
    if (data) yield data;
  }
}

async function main() {
  const started = await send("mutation { startConversation { conversation { id } } }").next();
  const conversationId = started.value.startConversation.conversation.id;
  const input = { conversationId, text: "Is a golden retriever a good family dog?", waitMs: 0 };
  const add = "mutation ($input: AddTextTurnInput!) { addTextTurn(input: $input) { turn { id } } }";
  const added = await send(add, { input }).next();

  const follow = `subscription ($turnId: ID!) { turnEvents(turnId: $turnId) { ... on TranscriptDelta { delta }
    ... on TurnEnded { turn { status assistantMessage { audio { url durationMs } } } } } }`;
  let turn = null;
  for await (const { turnEvents } of send(follow, { turnId: added.value.addTextTurn.turn.id })) {
    process.stdout.write(turnEvents.delta ?? "");
    turn = turnEvents.turn;
  }
  if (turn?.status !== "COMPLETED") throw new Error(`The turn is ${turn?.status ?? "not heard to its end"}.`);
  const { url, durationMs } = turn.assistantMessage.audio;
  await writeFile("answer.wav", Buffer.from(await (await fetch(url)).arrayBuffer()));
  console.log(`\nanswer.wav, ${durationMs} ms, of ${conversationId}`);
}

main().catch(({ message }) => {
  const silent = message === "fetch failed";
  console.error(
    silent ? `No answer from ${server}: start Parley with npm start, or give its address.` : message,
  );
  process.exitCode = 1;
});
