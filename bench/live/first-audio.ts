import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "graphql-ws";
import { DirectModel, question } from "../direct.js";
import { addTextTurn, startConversation } from "../operations.js";
import type { PacedStandIn } from "../paced-stand-in.js";
import { ms, msBetween, printTable, spread, tellProgress, times } from "../samples.js";
import { followByHttp, followBySocket, openSocket } from "./events.js";
import type { Hear } from "./events.js";
import { withSetting } from "./setting.js";
import type { PartOptions } from "./setting.js";

/** From asking, and from the moment at which the stand-in has written it, until the client has the first sound. */
interface Sample {
  fromAskingMs: number;
  fromWritingMs: number;
}
type Way = "direct" | "socket" | "multipart";
type Samples = Record<Way, Sample[]>;

const names: Record<Way, string> = {
  direct: "direct, with openai",
  socket: "Parley, WebSocket",
  multipart: "Parley, multipart",
};
const ways = ["direct", "socket", "multipart"] as const satisfies Way[];
/** A model that answers before anybody can have subscribed, and one that leaves time for it as real ones do. */
const thinkingTimesMs = [0, 60];
/** The stream goes on for a while behind the first sound. */
const restMs = 40;

export function firstAudio(options: PartOptions): Promise<void> {
  return withSetting(options, async ({ standIn, folder, parley }) => {
    const { url } = await parley(folder());
    const socket = await openSocket(url);
    const asker = new Asker(standIn, url, socket);
    for (const thinkMs of thinkingTimesMs) {
      await standIn.pace(thinkMs, restMs);
      report(thinkMs, await compare(asker, options.runs ?? 100));
    }
    await socket.dispose();
  });
}

async function compare(asker: Asker, runs: number): Promise<Samples> {
  const samples: Samples = { direct: [], socket: [], multipart: [] };
  for (let run = -Math.ceil(runs / 10); run < runs; run += 1) {
    for (const way of ways) {
      const sample = await asker.ask(way);
      if (run >= 0) samples[way].push(sample);
    }
    if (run >= 0) tellProgress("first-audio", run + 1, runs);
  }
  return samples;
}

class Asker {
  readonly #standIn: PacedStandIn;
  readonly #url: string;
  readonly #socket: Client;
  readonly #direct: DirectModel;

  constructor(standIn: PacedStandIn, url: string, socket: Client) {
    this.#standIn = standIn;
    this.#url = url;
    this.#socket = socket;
    this.#direct = new DirectModel(standIn.url);
  }

  async ask(way: Way): Promise<Sample> {
    const { askedAt, heardAt } = way === "direct" ? await this.#askModel() : await this.#askParley(way);
    const writtenAt = await this.#standIn.firstAudioAt();
    // What the server has left to do behind a turn shall not fall into the next sample.
    await delay(10);
    return { fromAskingMs: msBetween(askedAt, heardAt), fromWritingMs: msBetween(writtenAt, heardAt) };
  }

  async #askModel() {
    const askedAt = process.hrtime.bigint();
    const { firstAudioAt } = await this.#direct.ask([{ role: "user", content: question }]);
    if (firstAudioAt === null) throw new Error("the stand-in sent no sound");
    return { askedAt, heardAt: firstAudioAt };
  }

  /** In a fresh conversation, so that both ways send the model the same; starting it is not part of the time. */
  async #askParley(way: "socket" | "multipart") {
    const conversationId = await startConversation(this.#url);
    const askedAt = process.hrtime.bigint();
    const { id } = await addTextTurn(this.#url, { conversationId, text: question, waitMs: 0 });
    const heardAt: bigint[] = [];
    const hear: Hear = ({ base64 }) => {
      if (base64 !== undefined && Buffer.from(base64, "base64").byteLength > 0)
        heardAt.push(process.hrtime.bigint());
    };
    if (way === "socket") await followBySocket(this.#socket, id, hear);
    else await followByHttp(this.#url, id, hear);
    if (heardAt[0] === undefined) throw new Error("no sound was heard of a turn");
    return { askedAt, heardAt: heardAt[0] };
  }
}

function report(thinkMs: number, samples: Samples): void {
  const rows = ways.map((way) => row(samples, way));
  printTable(
    `First audio, from a model that ${thinkMs === 0 ? "answers at once" : `thinks for ${thinkMs} ms`} (${samples.direct.length} of each, alternating)`,
    [
      ["", "asking to first audio", "p99", "ratio", "added", "written to heard", "p99", "added at p50"],
      ...rows,
    ],
    thinkMs === 0
      ? [
          "The first audio may be written before the client can have subscribed; see the slower model for that part.",
        ]
      : [
          "Written to heard: from the moment at which the stand-in had written its first audio until the client has it.",
          "What is added there is what a subscription adds; the aim is at most 3 ms at p50.",
        ],
  );
}

function row(samples: Samples, way: Way): string[] {
  const [asking, writing] = (["fromAskingMs", "fromWritingMs"] as const).map((span) => ({
    base: spread(samples.direct.map((sample) => sample[span])),
    own: spread(samples[way].map((sample) => sample[span])),
  }));
  if (asking === undefined || writing === undefined) return [];
  return [
    names[way],
    ms(asking.own.p50),
    ms(asking.own.p99),
    times(asking.own.p50 / asking.base.p50),
    way === "direct" ? "" : ms(asking.own.p50 - asking.base.p50),
    ms(writing.own.p50),
    ms(writing.own.p99),
    way === "direct" ? "" : ms(writing.own.p50 - writing.base.p50),
  ];
}
