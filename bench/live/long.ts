import { cpSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { DirectModel, question } from "../direct.js";
import type { Messages } from "../direct.js";
import { addTextTurn, startConversation } from "../operations.js";
import { ms, printTable, spread, tellProgress, times } from "../samples.js";
import { withSetting } from "./setting.js";
import type { PartOptions, Setting } from "./setting.js";
import { storeCopies } from "./stored-turns.js";

const lengths = [10, 100, 1_000, 5_000];
/** The default, and one that all but the shortest conversation is beyond. */
const tokenBounds = [100_000, 4_000];
const transcript =
  "Yes, golden retrievers are among the best family dogs: friendly, patient with children and eager to please. " +
  "They need company, a good walk every day and a brush that can stand a lot of hair.";

/** One conversation behind one bound, with what was measured of it. */
interface Case {
  maxTokens: number;
  length: number;
  url: string;
  conversationId: string;
  /** How many earlier turns are sent with the last measured one. */
  sent: number;
  parley: number[];
  direct: number[];
}

export function longConversations(options: PartOptions): Promise<void> {
  return withSetting(options, async (setting) => {
    await setting.standIn.pace(0, 0);
    const cases = await prepare(setting);
    const model = new DirectModel(setting.standIn.url);
    const runs = options.runs ?? 30;
    for (let run = -Math.ceil(runs / 10); run < runs; run += 1) {
      for (const each of cases) await measure(each, model, run);
      if (run >= 0) tellProgress("long", run + 1, runs);
    }
    for (const maxTokens of tokenBounds) report(maxTokens, cases, runs);
  });
}

/** A server for each bound, with the same conversations. */
async function prepare({ folder, parley }: Setting): Promise<Case[]> {
  const origin = folder();
  const first = await parley(origin);
  const modelId = await startConversation(first.url);
  await addTextTurn(first.url, { conversationId: modelId, text: question });
  const counts = new Map<string, number>();
  for (const length of lengths) counts.set(await startConversation(first.url), length);
  await first.stop();
  storeCopies(origin, modelId, counts);
  const cases: Case[] = [];
  for (const maxTokens of tokenBounds) {
    const data = folder();
    cpSync(origin, data, { recursive: true });
    const { url } = await parley(data, { env: { HISTORY_MAX_TOKENS: String(maxTokens) } });
    for (const [conversationId, length] of counts)
      cases.push({ maxTokens, length, url, conversationId, sent: 0, parley: [], direct: [] });
  }
  return cases;
}

/** A turn, and then the same amount of words to the model without Parley. */
async function measure(each: Case, model: DirectModel, run: number): Promise<void> {
  const { url, conversationId } = each;
  const askedAt = performance.now();
  const { omittedTurns } = await addTextTurn(url, { conversationId, text: question });
  const parleyMs = performance.now() - askedAt;
  // Turns that were measured before have become part of the conversation.
  each.sent = each.length + each.parley.length - omittedTurns;
  await delay(10);
  const messages = conversation(each.sent);
  const directAt = performance.now();
  await model.ask(messages);
  const directMs = performance.now() - directAt;
  await delay(10);
  if (run < 0) return;
  each.parley.push(parleyMs);
  each.direct.push(directMs);
}

function conversation(earlierTurns: number): Messages {
  const earlier = Array.from({ length: earlierTurns }, (): Messages => [
    { role: "user", content: question },
    { role: "assistant", content: transcript },
  ]);
  return [...earlier.flat(), { role: "user", content: question }];
}

function report(maxTokens: number, cases: readonly Case[], runs: number): void {
  const those = cases.filter((each) => each.maxTokens === maxTokens);
  const shortest = spread(those[0]?.parley ?? []).p50;
  const rows = those.map(({ length, sent, parley, direct }) => {
    const [own, base] = [spread(parley), spread(direct)];
    return [
      `${length} earlier turns`,
      String(sent),
      ms(base.p50),
      ms(own.p50),
      ms(own.p99),
      ms(own.p50 - base.p50),
      times(own.p50 / shortest),
    ];
  });
  printTable(
    `A text turn in a long conversation, HISTORY_MAX_TOKENS=${maxTokens} (${runs} of each, alternating)`,
    [["", "sent", "direct, p50", "Parley, p50", "p99", "added", "to the shortest"], ...rows],
    [
      "Direct: the model asked without Parley, with as many turns of like length. Beyond the bound it shall stay flat.",
    ],
  );
}
