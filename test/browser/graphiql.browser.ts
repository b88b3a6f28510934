import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { Kind, parse } from "graphql";
import { blocksOf, root } from "../docs/pages.js";
import { askByText, startedConversation } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { Explorer } from "./explorer.js";
import { sharedBrowser } from "./pages.js";
import { eventually } from "./parts.js";

interface Heard {
  turnEvents: { __typename: string; delta?: string; turn?: { id: string; status: string } };
}
interface Started {
  startConversation?: { conversation: { id: string } };
}

/** The first block of docs/subscriptions.md in a language. */
function documented(language: "graphql" | "json"): string {
  const block = blocksOf("docs/subscriptions.md").find((each) => each.language === language);
  if (block === undefined) throw new Error(`docs/subscriptions.md has no block of ${language}`);
  return block.text;
}

/** A turn that stops before its answer, and once more behind its first sound. */
async function haltingTurn(parley: TestParley) {
  const halts = {
    beginning: parley.standIn.pauseNext("before-answer"),
    middle: parley.standIn.pauseNext("after-first-audio"),
  };
  const conversationId = await startedConversation(parley);
  const { id } = await askByText(parley, conversationId, "Please count to 5.", { waitMs: 0 });
  return { id, ...halts };
}

describe("The documented subscription, pasted into GraphiQL and run at once", () => {
  const parley = sharedParley("sqlite", { standIn: { speech: "flite" } });
  const { openWindow } = sharedBrowser();

  it("shows the events of a turn until it has ended, over a WebSocket", async () => {
    const turn = await haltingTurn(parley());
    const explorer = await Explorer.open<Heard>(await openWindow(), parley().url);
    const shown = (isRight: (type: string) => boolean) =>
      explorer.shown(({ data }) => data != null && isRight(data.turnEvents.__typename));
    await explorer.paste(documented("graphql"), documented("json").replace("TURN_ID", turn.id));
    await explorer.run();
    const first = await shown((type) => type === "TurnStarted");
    turn.beginning.release();
    await turn.middle.reached;
    const middle = await shown((type) => type === "TranscriptDelta" || type === "AudioDelta");
    turn.middle.release();
    const last = await shown((type) => type === "TurnEnded");
    await explorer.execute.waitFor();

    const [socket, ...others] = explorer.sockets;
    if (socket === undefined) throw new Error("GraphiQL has opened no WebSocket");
    const { url, sent, received } = socket;
    await eventually(
      () => Promise.resolve(received.at(-1)?.type),
      (type) => type === "complete",
    );
    expect({ url, sent, others }).toMatchObject({
      url: `${parley().url.replace(/^http/, "ws")}/graphql`,
      sent: [
        { type: "connection_init" },
        { type: "subscribe", payload: { variables: { turnId: turn.id, after: null } } },
      ],
      others: [],
    });
    const results = received.filter(({ type }) => type === "next").map(({ payload }) => payload);
    expect([results[0], results.at(-1)]).toEqual([first, last]);
    expect(results).toContainEqual(middle);
    expect(results.map((result) => result?.data?.turnEvents.delta ?? "").join("")).toBe("1, 2, 3, 4, 5.");
    expect(last.data?.turnEvents.turn).toEqual({ id: turn.id, status: "COMPLETED" });
    expect(explorer.complaints).toEqual([]);
  });
});

describe("The quickstart's programs, pasted into GraphiQL", () => {
  const parley = sharedParley("sqlite");
  const { openWindow } = sharedBrowser();
  const status = "COMPLETED";
  const read = (file: string) => readFileSync(`${root}examples/graphql/${file}`, "utf8");

  it.each<[string, number, Record<string, object>]>([
    ["text-to-audio", 1, { AskByText: { addTextTurn: { turn: { status } } } }],
    ["audio-to-audio", 2, { AskByAudio: { addAudioTurn: { turn: { status } } } }],
    [
      "several-turns",
      2,
      {
        AskByAudio: { addAudioTurn: { turn: { status } } },
        AskForText: { addTextTurn: { turn: { status } } },
        ReadConversation: { conversation: { turns: { nodes: [{ status }, { status }] } } },
      },
    ],
  ])("are answered from top to bottom, and what was said can be played: %s", async (name, clips, answers) => {
    const [operations, variables] = [read(`${name}.graphql`), read(`${name}.json`)];
    const names = parse(operations).definitions.map((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? definition.name?.value : undefined,
    );
    expect(names).toEqual(["StartConversation", ...Object.keys(answers)]);
    const explorer = await Explorer.open<Started>(await openWindow(), parley().url);
    const answer = () => explorer.shown(({ data, errors }) => data !== undefined || errors !== undefined);

    await explorer.paste(operations, variables);
    await explorer.choose("StartConversation");
    const { data, errors } = await answer();
    expect(errors).toBeUndefined();
    const id = data?.startConversation?.conversation.id ?? "";
    await explorer.pasteVariables(variables.replace("PASTE_THE_ID_HERE", id));
    for (const [operation, expected] of Object.entries(answers)) {
      await explorer.choose(operation);
      const answered = await answer();
      expect(answered).toMatchObject({ data: expected });
      expect(answered).not.toHaveProperty("errors");
    }
    await eventually(
      () =>
        explorer.page.evaluate<number[]>(
          "[...document.querySelectorAll('audio')].map((each) => each.duration)",
        ),
      (durations) => durations.length === clips && durations.every((seconds) => seconds > 0),
    );
    expect(explorer.complaints).toEqual([]);
  });
});
