import { createHash } from "node:crypto";
import type { Client } from "graphql-ws";
import { z } from "zod";
import { question } from "../direct.js";
import { addTextTurn, post, startConversation } from "../operations.js";
import type { PacedStandIn } from "../paced-stand-in.js";
import type { Program } from "../programs.js";
import { ms, msBetween, printTable, spread, tellProgress, times } from "../samples.js";
import { followBySocket, leave, openSocket } from "./events.js";
import { probeCpu, probing } from "./probe.js";
import { withSetting } from "./setting.js";
import type { PartOptions } from "./setting.js";

const many = 200;
const wavHeaderBytes = 44;

/** From the moment at which the stand-in has written its first audio until the first and the last have all. */
interface Sample {
  firstMs: number;
  lastMs: number;
  serverCpuMs: number;
  /** Of this process, which plays all listeners. */
  clientCpuMs: number;
}

export function fanOut(options: PartOptions): Promise<void> {
  return withSetting(options, async ({ standIn, folder, parley }) => {
    await standIn.pace(0, 0);
    const server = await parley(folder(), { nodeOptions: probing });
    const clients = await Promise.all(Array.from({ length: many }, () => openSocket(server.url)));
    const groups = [clients.slice(0, 1), clients];
    const samples = new Map<number, Sample[]>(groups.map(({ length }) => [length, []]));
    const runs = options.runs ?? 30;
    for (let run = -Math.ceil(runs / 10); run < runs; run += 1) {
      for (const group of groups) {
        const sample = await measure(server, standIn, group);
        if (run >= 0) samples.get(group.length)?.push(sample);
      }
      if (run >= 0) tellProgress("fan-out", run + 1, runs);
    }
    await leave(clients);
    report(samples, runs);
  });
}

/** One listener and what they have heard. */
class Ear {
  readonly heard: string[] = [];
  readonly started: Promise<void>;
  readonly ended: Promise<bigint>;

  constructor(client: Client, turnId: string) {
    let start = (): void => undefined;
    this.started = new Promise((resolve) => (start = resolve));
    this.ended = followBySocket(client, turnId, ({ __typename, base64 }) => {
      if (__typename === "TurnStarted") start();
      if (base64 !== undefined) this.heard.push(base64);
    }).then(() => process.hrtime.bigint());
  }
}

async function measure(server: Program, standIn: PacedStandIn, clients: readonly Client[]): Promise<Sample> {
  const conversationId = await startConversation(server.url);
  await standIn.hold();
  const { id } = await addTextTurn(server.url, { conversationId, text: question, waitMs: 0 });
  const ears = clients.map((client) => new Ear(client, id));
  await Promise.all(ears.map(({ started }) => started));
  const before = { server: await probeCpu(server), client: process.cpuUsage() };
  await standIn.release();
  const endedAt = (await Promise.all(ears.map(({ ended }) => ended))).toSorted((one, other) =>
    Number(one - other),
  );
  const client = process.cpuUsage(before.client);
  const after = await probeCpu(server);
  const writtenAt = await standIn.firstAudioAt();
  await checkAlike(server.url, id, ears);
  return {
    firstMs: msBetween(writtenAt, endedAt[0] ?? 0n),
    lastMs: msBetween(writtenAt, endedAt.at(-1) ?? 0n),
    serverCpuMs: after - before.server,
    clientCpuMs: (client.user + client.system) / 1000,
  };
}

const clipShape = z.object({
  data: z.object({
    node: z.object({ assistantMessage: z.object({ audio: z.object({ url: z.string() }) }) }),
  }),
});

/** @throws where a listener has heard other sound than that which is kept */
async function checkAlike(url: string, id: string, ears: readonly Ear[]): Promise<void> {
  const query = "query ($id: ID!) { node(id: $id) { ... on Turn { assistantMessage { audio { url } } } } }";
  const answer: unknown = await (await post(url, { query, variables: { id } })).json();
  const clip = clipShape.parse(answer).data.node.assistantMessage.audio.url;
  const file = Buffer.from(await (await fetch(clip)).arrayBuffer());
  const kept = hash(file.subarray(wavHeaderBytes));
  const heard = ears.map((ear) =>
    hash(Buffer.concat(ear.heard.map((piece) => Buffer.from(piece, "base64")))),
  );
  const others = heard.filter((each) => each !== kept).length;
  if (others > 0) throw new Error(`${others} of ${ears.length} listeners heard other sound than is kept`);
}

function hash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function report(samples: ReadonlyMap<number, readonly Sample[]>, runs: number): void {
  const base = spread((samples.get(1) ?? []).map(({ lastMs }) => lastMs)).p50;
  const rows = [...samples].map(([count, taken]) => {
    const last = spread(taken.map(({ lastMs }) => lastMs));
    return [
      count === 1 ? "1 listener" : `${count} listeners`,
      ms(spread(taken.map(({ firstMs }) => firstMs)).p50),
      ms(last.p50),
      ms(last.p99),
      times(last.p50 / base),
      ms(spread(taken.map(({ serverCpuMs }) => serverCpuMs)).p50),
      ms(spread(taken.map(({ clientCpuMs }) => clientCpuMs)).p50),
    ];
  });
  printTable(
    `Listeners of one turn, each on a socket of its own (${runs} turns of each, alternating)`,
    [["", "first has all", "all have all", "p99", "ratio", "server's CPU", "listeners' CPU"], ...rows],
    [
      "From the moment at which the stand-in had written its first audio (a second of sound, all at once) to the turn's end",
      "in the hands of the listeners, who are one process; p50. All of them heard the bytes of the kept clip.",
    ],
  );
}
