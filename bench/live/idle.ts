import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "graphql-ws";
import { question } from "../direct.js";
import { addTextTurn, startConversation } from "../operations.js";
import type { Program } from "../programs.js";
import { printTable, spread, tellProgress } from "../samples.js";
import { leave, openSocket } from "./events.js";
import { probeMemory, probing } from "./probe.js";
import type { Usage } from "./probe.js";
import { withSetting } from "./setting.js";
import type { PartOptions } from "./setting.js";

const listeners = 1_000;
const socketCounts = [1_000, 10];
/** Are opened at a time. */
const batchSize = 50;
/** Until what was begun has ended, timers among it that a closed connection leaves behind. */
const settleMs = 2_000;

interface Sample {
  before: Usage;
  during: Usage;
  after: Usage;
}

export function idle(options: PartOptions): Promise<void> {
  return withSetting(options, async ({ standIn, folder, parley }) => {
    await standIn.pace(0, 0);
    const runs = options.runs ?? 3;
    const samples = new Map<number, Sample[]>(socketCounts.map((sockets) => [sockets, []]));
    for (let run = 0; run < runs; run += 1) {
      for (const [sockets, taken] of samples) {
        // A server of its own for each: memory that a process was once given it seldom gives back.
        const server = await parley(folder(), { nodeOptions: probing });
        taken.push(await measure(server, sockets));
        await server.stop();
      }
      tellProgress("idle", run + 1, runs);
    }
    report(samples, runs);
  });
}

async function measure(server: Program, sockets: number): Promise<Sample> {
  await warmUp(server.url);
  const before = await probeMemory(server);
  const clients = await listen(server.url, sockets, listeners / sockets);
  await delay(settleMs);
  const during = await probeMemory(server);
  await leave(clients);
  await delay(settleMs);
  return { before, during, after: await probeMemory(server) };
}

/** Everything that listening needs is loaded and has run before memory is looked at. */
async function warmUp(url: string): Promise<void> {
  const conversationId = await startConversation(url);
  for (let turn = 0; turn < 20; turn += 1) await addTextTurn(url, { conversationId, text: question });
  const clients = await listen(url, 10, 10);
  await leave(clients);
  await delay(settleMs);
}

/** Sockets with so many listeners each, all of which have proved to listen. */
async function listen(url: string, sockets: number, eachListeners: number): Promise<Client[]> {
  const clients: Client[] = [];
  while (clients.length < sockets) {
    const batch = Array.from({ length: Math.min(batchSize, sockets - clients.length) }, () =>
      openSocket(url),
    );
    clients.push(...(await Promise.all(batch)));
  }
  const deaf = new Set<symbol>();
  for (const client of clients) for (let each = 0; each < eachListeners; each += 1) subscribe(client, deaf);
  // The protocol does not tell when a subscription has begun; one that was late hears of the next conversation.
  while (deaf.size > 0) {
    await startConversation(url);
    await delay(200);
  }
  return clients;
}

function subscribe(client: Client, deaf: Set<symbol>): void {
  const listener = Symbol("listener");
  deaf.add(listener);
  const fail = (reason: unknown) => {
    throw new Error("a listener was refused", { cause: reason });
  };
  client.subscribe(
    { query: "subscription { viewerEvents { __typename cursor conversationId } }" },
    {
      next: ({ errors }) => (errors === undefined ? deaf.delete(listener) : fail(errors)),
      error: fail,
      complete: () => undefined,
    },
  );
}

function report(samples: ReadonlyMap<number, readonly Sample[]>, runs: number): void {
  const rows = [...samples].flatMap(([sockets, taken]) => [
    row(`${sockets} sockets, RSS`, taken, ({ rss }) => rss),
    row(`${sockets} sockets, heap and buffers`, taken, ({ heapUsed, external }) => heapUsed + external),
  ]);
  printTable(
    `${listeners} idle listeners of viewerEvents, memory of the server (p50 of ${runs} servers each, alternating)`,
    [["", "before", "listening", "after", "each listener", "most for each"], ...rows],
    [
      "process.memoryUsage() inside of the server after two forced collections (--expose-gc); the memory that the kernel",
      "keeps for sockets is not among it. Before: after 20 turns and 100 listeners who came and went.",
    ],
  );
}

function row(name: string, samples: readonly Sample[], of: (usage: Usage) => number): string[] {
  const p50 = (moment: keyof Sample) => spread(samples.map((sample) => of(sample[moment]))).p50;
  const each = spread(samples.map(({ before, during }) => (of(during) - of(before)) / listeners));
  const mb = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} kB`;
  return [name, mb(p50("before")), mb(p50("during")), mb(p50("after")), kb(each.p50), kb(each.p99)];
}
