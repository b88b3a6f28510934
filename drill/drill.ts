import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { checkHeard } from "./check-heard.js";
import { checkModel } from "./check-model.js";
import { checkFiles, checkThroughApi } from "./check-sound.js";
import { checkTurns } from "./check-turns.js";
import { Client } from "./client.js";
import type { DrillDatabase } from "./database.js";
import { readFacts } from "./facts.js";
import type { Facts } from "./facts.js";
import { Findings } from "./findings.js";
import { Fleet } from "./fleet.js";
import { planKills } from "./kill-plan.js";
import { Killer } from "./killer.js";
import { ageSound, leftOver, untilSwept } from "./left-over.js";
import { Ledger } from "./ledger.js";
import { Listener } from "./listener.js";
import { Model } from "./model.js";
import { Moments } from "./moments.js";
import { readRoots } from "./operations.js";
import type { Roots } from "./operations.js";
import type { DrillOptions } from "./options.js";
import { Progress, progressLine } from "./progress.js";
import { Random } from "./random.js";
import { writeEvidence } from "./report.js";
import { ask } from "./requests.js";
import { Sender } from "./sender.js";

const clients = 4;
const leaseMs = 1_000;
/** Recovery looks at most one and a half leases apart. */
const recoveryPatienceMs = 15 * leaseMs;
const sane = "the database finds no fault with itself";

export interface DrillParts {
  options: DrillOptions;
  database: DrillDatabase;
  folder: string;
  /** Aborts when somebody breaks the drill off. */
  signal: AbortSignal;
}

/** One drill: servers, clients, kills, and a look at what is left. */
export class Drill {
  readonly findings = new Findings();
  readonly ledger = new Ledger();
  readonly #parts: DrillParts;
  readonly #moments: Moments;
  readonly #model: Model;
  readonly #fleet: Fleet;
  readonly #killer: Killer;
  #listener: Listener | null = null;
  #facts: Facts | null = null;

  private constructor(parts: DrillParts, moments: Moments, model: Model) {
    const { options, database, folder, signal } = parts;
    const env = { ...serverSettings(database, folder), ...model.settings };
    this.#parts = parts;
    this.#moments = moments;
    this.#model = model;
    this.#fleet = new Fleet({ folder, env, servers: options.servers, findings: this.findings, signal });
    this.#killer = new Killer({
      fleet: this.#fleet,
      moments,
      ledger: this.ledger,
      seed: options.seed,
      holdEnds: database.holdEnds,
      count: (status) => database.count("Turn", `"status" = '${status}'`),
    });
    model.serve(this.#fleet);
  }

  static async make(parts: DrillParts): Promise<Drill> {
    await mkdir(dataDirOf(parts.folder), { recursive: true });
    const moments = new Moments();
    return new Drill(parts, moments, await Model.start(moments, parts.options.seed));
  }

  async run(): Promise<void> {
    await this.#fleet.startAll();
    this.#listener = await this.#makeListener();
    await this.#killWhileClientsTalk();
    await this.#untilRecovered();
    // Servers that stop and start in good order: what they do at a start is done once more before all is looked at.
    await this.#fleet.stopAll();
    await this.#sweep();
    await this.#check();
    await this.#fleet.stopAll();
  }

  /** What was found and what led to it, for whoever has to find out more. */
  writeEvidence(): void {
    const { findings, ledger } = this;
    writeEvidence(this.#parts.folder, { findings, ledger, model: this.#model, facts: this.#facts });
  }

  /** Kills what is left of it, without waiting. */
  killNow(): void {
    this.#fleet.killAllNow();
  }

  async close(): Promise<void> {
    this.#fleet.close();
    await this.#model.close();
  }

  describeKills(): string {
    const hits = [...this.#killer.hits].map(([name, count]) => `${count} ${name}`);
    const missed = this.#killer.missed === 0 ? "" : ` (${this.#killer.missed} moments did not come in time)`;
    const { leftQueued, leftRunning } = this.#killer;
    return `${hits.join(", ")}${missed}; ${leftQueued} turns were queued then and ${leftRunning} running`;
  }

  async #killWhileClientsTalk(): Promise<void> {
    const { options, signal } = this.#parts;
    const startedAt = performance.now();
    const progress = new Progress(() =>
      progressLine(this.ledger, startedAt, this.#fleet.kills, options.kills),
    );
    const stop = new AbortController();
    const talking = this.#makeClients().map((client) => client.run(stop.signal));
    try {
      const killing = this.#killer.run(planKills(options.seed, options.kills), signal);
      // A client ends by a fault of the drill only.
      await Promise.race([killing, Promise.all(talking)]);
      stop.abort();
      await Promise.all(talking);
      await this.#listener?.settled(recoveryPatienceMs);
    } finally {
      stop.abort();
      progress.end();
    }
  }

  #makeClients(): Client[] {
    const { seed } = this.#parts.options;
    return Array.from({ length: clients }, (_, index) => {
      const random = new Random(seed, `client ${index} servers`);
      const { findings, ledger } = this;
      const sender = new Sender({ fleet: this.#fleet, findings, ledger, random });
      return new Client(index, { seed, sender, moments: this.#moments, listener: this.#listener });
    });
  }

  /** Null where the servers have no subscriptions. */
  async #makeListener(): Promise<Listener | null> {
    const server = await this.#fleet.oneLiving(0);
    const { data } = await ask<Roots>(server, { query: readRoots, variables: {} });
    if (data?.__schema.subscriptionType == null) {
      this.findings.notes.push("the servers have no subscriptions: nobody listened");
      return null;
    }
    const { signal, options } = this.#parts;
    const random = new Random(options.seed, "listener");
    return new Listener({ fleet: this.#fleet, findings: this.findings, random, signal });
  }

  /** Turns of killed servers are ended when their leases are over; what is not ended then is found by the checks. */
  async #untilRecovered(): Promise<void> {
    const { database, signal } = this.#parts;
    const deadline = Date.now() + recoveryPatienceMs;
    const running = `"status" IN ('QUEUED', 'RUNNING')`;
    while (Date.now() < deadline && (await database.count("Turn", running)) > 0) {
      signal.throwIfAborted();
      await delay(100);
    }
  }

  /** Starts the servers on files that are old enough to be swept, and waits until what the kills left is gone. */
  async #sweep(): Promise<void> {
    const { database, folder, signal } = this.#parts;
    const dataDir = dataDirOf(folder);
    const left = leftOver(await readFacts(database, dataDir));
    this.findings.notes.push(`the kills left ${left.length} files for the sweep`);
    await ageSound(dataDir);
    await this.#fleet.startAll();
    await untilSwept(database, dataDir, signal);
  }

  async #check(): Promise<void> {
    const { database, folder } = this.#parts;
    const { findings, ledger } = this;
    const dataDir = dataDirOf(folder);
    const facts = await readFacts(database, dataDir);
    this.#facts = facts;
    checkTurns(facts, ledger, findings);
    checkModel(facts, ledger, this.#model, findings);
    await checkFiles(facts, dataDir, findings);
    await checkThroughApi(this.#fleet.living(), ledger, findings);
    if (this.#listener !== null) await checkHeard(facts, dataDir, ledger, findings);
    for (const fault of await database.faults()) findings.violate(sane, fault);
    findings.looked(sane, `${this.#fleet.starts} starts`);
  }
}

function dataDirOf(folder: string): string {
  return join(folder, "data");
}

function serverSettings(database: DrillDatabase, folder: string): Record<string, string> {
  return {
    NODE_ENV: "production",
    // Asked by the drill itself, whether there are subscriptions.
    INTROSPECTION: "1",
    DATABASE_URL: database.url,
    DATA_DIR: dataDirOf(folder),
    LEASE_MS: String(leaseMs),
    SHUTDOWN_GRACE_MS: "0",
    PORT: "0",
  };
}
