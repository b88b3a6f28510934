import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { answerHasGrownTo } from "../helpers/exchanges.js";
import { askByAudio, askByText, startedConversation, deleteConversation } from "../helpers/operations.js";
import type { Usage } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { spokenWav } from "../helpers/sound.js";

const readUsage = /* GraphQL */ `
  query ($id: ID!) {
    viewer {
      usage {
        ...Counts
      }
    }
    conversation(id: $id) {
      usage {
        ...Counts
      }
    }
  }
  fragment Counts on Usage {
    inputTextTokens
    inputAudioTokens
    cachedInputTokens
    outputTextTokens
    outputAudioTokens
    costMicroUsd
    estimated
  }
`;

async function usages(
  parley: TestParley,
  id: string,
): Promise<{ viewer: Usage; conversation: Usage | null }> {
  const read = await parley.ask<{ viewer: { usage: Usage }; conversation: { usage: Usage } | null }>(
    readUsage,
    {
      id,
    },
  );
  return { viewer: read.viewer.usage, conversation: read.conversation?.usage ?? null };
}

function sum(usages: (Usage | null)[]): Partial<Usage> {
  const total = { inputTextTokens: 0, inputAudioTokens: 0, outputTextTokens: 0, outputAudioTokens: 0 };
  for (const usage of usages)
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += usage?.[name] ?? 0;
  return total;
}

const modelPrice = { textInput: 2.5, textOutput: 10, audioInput: 32, audioOutput: 64 };
let folder = "";
let pricesByModel = "";
let pricesByDeployment = "";
let pricesOfOthers = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-prices-"));
  const write = async (name: string, prices: object) => {
    await writeFile(join(folder, name), JSON.stringify(prices));
    return join(folder, name);
  };
  const dear = { textInput: 1_000, textOutput: 1_000, audioInput: 1_000, audioOutput: 1_000 };
  pricesByModel = await write("model.json", { "parley-stand-in": modelPrice });
  pricesByDeployment = await write("both.json", { "test-deployment": modelPrice, "parley-stand-in": dear });
  pricesOfOthers = await write("others.json", { "gpt-audio": modelPrice });
});

afterAll(() => rm(folder, { recursive: true }));

function costOf(usage: Usage | null): number {
  const { inputTextTokens, inputAudioTokens, outputTextTokens, outputAudioTokens } = usage ?? emptyUsage;
  const { textInput, audioInput, textOutput, audioOutput } = modelPrice;
  return Math.round(
    inputTextTokens * textInput +
      inputAudioTokens * audioInput +
      outputTextTokens * textOutput +
      outputAudioTokens * audioOutput,
  );
}

const emptyUsage: Usage = {
  inputTextTokens: 0,
  inputAudioTokens: 0,
  cachedInputTokens: 0,
  outputTextTokens: 0,
  outputAudioTokens: 0,
  costMicroUsd: null,
  estimated: false,
};

onEachDatabase("usage", (kind) => {
  it("is told by the provider and summed for turn, conversation and viewer, also after a deletion", async () => {
    const parley = await TestParley.start(kind);
    const [one, two] = [await startedConversation(parley), await startedConversation(parley)];
    expect(await usages(parley, one)).toEqual({ viewer: emptyUsage, conversation: emptyUsage });
    const turns = [
      await askByText(parley, one, "Say 'one two three'"),
      await askByText(parley, one, "Say 'four'"),
      await askByAudio(parley, two, spokenWav(2_000), { text: "What?", reply: { modalities: ["TEXT"] } }),
    ];
    const [first, second, third] = turns.map((turn) => turn.usage) as [Usage, Usage, Usage];
    expect(first).toMatchObject({ inputAudioTokens: 0, outputAudioTokens: 20, outputTextTokens: 4 });
    // The first answer, referred to: 20 tokens a second.
    expect(second).toMatchObject({ inputAudioTokens: 20, outputAudioTokens: 20, estimated: false });
    expect(third).toMatchObject({ inputAudioTokens: 20, outputAudioTokens: 0, costMicroUsd: null });
    expect(first.inputTextTokens).toBeGreaterThan(0);

    const rest = { cachedInputTokens: 0, costMicroUsd: null, estimated: false };
    expect(await usages(parley, one)).toEqual({
      viewer: { ...sum([first, second, third]), ...rest },
      conversation: { ...sum([first, second]), ...rest },
    });
    await parley.ask(deleteConversation, { id: one });
    expect(await usages(parley, one)).toEqual({
      viewer: { ...sum([first, second, third]), ...rest },
      conversation: null,
    });
  });

  it("costs what the price list says for the deployment, else for the model, else nobody knows", async () => {
    const parley = await TestParley.start(kind, { env: { PRICES_FILE: pricesByModel } });
    const conversationId = await startedConversation(parley);
    expect((await usages(parley, conversationId)).viewer.costMicroUsd).toBe(0);
    const byModel = await askByAudio(parley, conversationId, spokenWav(), { text: "Say 'by model'" });
    expect(byModel.usage?.costMicroUsd).toBe(costOf(byModel.usage));
    expect(byModel.usage?.costMicroUsd).toBeGreaterThan(64 * 20);

    await parley.restart({ PRICES_FILE: pricesByDeployment });
    const byDeployment = await askByText(parley, conversationId, "Say 'by deployment'");
    expect(byDeployment.usage?.costMicroUsd).toBe(costOf(byDeployment.usage));
    const sums = await usages(parley, conversationId);
    const total = costOf(byModel.usage) + costOf(byDeployment.usage);
    expect([sums.viewer.costMicroUsd, sums.conversation?.costMicroUsd]).toEqual([total, total]);

    await parley.restart({ PRICES_FILE: pricesOfOthers });
    const unpriced = await askByText(parley, conversationId, "Say 'unknown'");
    expect(unpriced.usage?.costMicroUsd).toBeNull();
    expect((await usages(parley, conversationId)).conversation?.costMicroUsd).toBeNull();
  });

  it("is estimated where the provider told none, and nothing where the model was not reached", async () => {
    const parley = await TestParley.start(kind, { env: { PRICES_FILE: pricesByDeployment } });
    const conversationId = await startedConversation(parley);
    parley.standIn.failNext({ name: "unauthorized" });
    const refused = await askByText(parley, conversationId, "Say 'one two three'");
    expect(refused.usage).toEqual({ ...emptyUsage, costMicroUsd: 0 });

    parley.standIn.failNext({ name: "cut" });
    const cut = await askByText(parley, conversationId, "Say 'one two three'");
    // 4 and 4 for the message, 0.4 s of sound.
    expect(cut.usage).toMatchObject({ inputAudioTokens: 0, outputTextTokens: 4, outputAudioTokens: 8 });
    expect(cut.usage).toMatchObject({ estimated: true, costMicroUsd: costOf(cut.usage) });
    expect(cut.usage?.inputTextTokens).toBeGreaterThan(4);
    expect((await usages(parley, conversationId)).conversation).toEqual(cut.usage);
  });

  it("of a turn whose conversation was deleted while it ran is still the viewer's", async () => {
    const parley = await TestParley.start(kind);
    const conversationId = await startedConversation(parley);
    const pause = parley.standIn.pauseNext("after-first-audio");
    await askByText(parley, conversationId, "Say 'one two three'", { waitMs: 0 });
    await pause.reached;
    await answerHasGrownTo(parley, 44 + 19_200);
    await parley.ask(deleteConversation, { id: conversationId });
    const { viewer } = await usages(parley, conversationId);
    expect(viewer).toMatchObject({ outputAudioTokens: 8, outputTextTokens: 4, estimated: true });
  });
});
