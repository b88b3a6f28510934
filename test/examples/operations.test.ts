import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { buildSchema, Kind, OperationTypeNode, parse, validate } from "graphql";
import { readPage, root } from "../docs/pages.js";
import { sharedParley } from "../helpers/parley.js";

interface Answer {
  startConversation?: { conversation: { id: string } };
  addTextTurn?: { turn: AnsweredTurn };
  addAudioTurn?: { turn: AnsweredTurn };
  conversation?: { turns: { nodes: { status: string }[] } };
}
interface AnsweredTurn {
  status: string;
  assistantMessage: { transcript?: string; text?: string; audio?: { url: string; durationMs: number } };
}

const folder = join(root, "examples/graphql");
const programs = readdirSync(folder)
  .filter((name) => name.endsWith(".graphql"))
  .map((name) => name.slice(0, -".graphql".length));
const schema = buildSchema(readPage("schema.graphql"));

/** What each operation is answered with, from top to bottom, as somebody would run them in an explorer. */
async function runProgram(
  name: string,
  send: (body: object) => Promise<{ data?: Answer; errors?: unknown }>,
) {
  const query = readFileSync(join(folder, `${name}.graphql`), "utf8");
  const variables = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Record<string, unknown>;
  const document = parse(query);
  expect(validate(schema, document)).toEqual([]);
  const answers: Answer[] = [];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const { data = {}, errors } = await send({ query, variables, operationName: definition.name?.value });
    expect(errors).toBeUndefined();
    variables["conversationId"] = data.startConversation?.conversation.id ?? variables["conversationId"];
    answers.push(data);
  }
  expect(document.definitions[0]).toMatchObject({ operation: OperationTypeNode.MUTATION });
  return answers;
}

describe("the quickstart's programs as operations", () => {
  const shared = sharedParley("sqlite");

  async function send(body: object): Promise<{ data?: Answer; errors?: unknown }> {
    const response = await fetch(`${shared().url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return (await response.json()) as { data?: Answer; errors?: unknown };
  }

  it("are these", () => {
    expect(programs).toEqual(["audio-to-audio", "several-turns", "text-to-audio"]);
  });

  it("answer a text in words and in sound", async () => {
    const [, asked] = await runProgram("text-to-audio", send);
    const turn = asked?.addTextTurn?.turn;
    expect(turn).toMatchObject({ status: "COMPLETED", assistantMessage: { audio: { durationMs: 1_000 } } });
    expect(turn?.assistantMessage.transcript).toContain("good family dog");
  });

  it("answer a recording in words and in sound", async () => {
    const [, asked] = await runProgram("audio-to-audio", send);
    expect(asked?.addAudioTurn?.turn).toMatchObject({
      status: "COMPLETED",
      userMessage: { audio: { durationMs: 2_474 } },
      assistantMessage: { transcript: expect.stringMatching(/./) as unknown, audio: { durationMs: 1_000 } },
    });
  });

  it("go on over several turns and end in text", async () => {
    const [, asked, followed, read] = await runProgram("several-turns", send);
    expect(asked?.addAudioTurn?.turn.status).toBe("COMPLETED");
    expect(followed?.addTextTurn?.turn).toMatchObject({
      status: "COMPLETED",
      assistantMessage: { text: expect.stringMatching(/./) as unknown },
    });
    expect(read?.conversation?.turns.nodes.map(({ status }) => status)).toEqual(["COMPLETED", "COMPLETED"]);
  });
});
