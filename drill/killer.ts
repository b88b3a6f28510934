import { setImmediate as nextTick, setTimeout as delay } from "node:timers/promises";
import type { DrillDatabase, HeldEnds } from "./database.js";
import type { Fleet } from "./fleet.js";
import { killClasses } from "./kill-plan.js";
import type { KillClass, KillPlan } from "./kill-plan.js";
import type { Ledger } from "./ledger.js";
import type { Moments } from "./moments.js";
import { Random } from "./random.js";
import type { ServerRun } from "./server-run.js";

/** A moment that does not come is not waited for longer. */
const patienceMs = 5_000;
const longestCalmMs = 2_000;
const longestQueueingMs = 500;
const longestEndingMs = 500;
/** The end of a turn comes so soon after its answer; what waits before may tell of another one. */
const endingMs = 50;
/** Where no transaction can be held: some time in which it comes. */
const unheldEndMs = 15;

export interface KillerParts {
  fleet: Fleet;
  moments: Moments;
  ledger: Ledger;
  seed: number;
  /** How many turns the database holds in this status. */
  count: (status: "QUEUED" | "RUNNING") => Promise<number>;
  holdEnds: DrillDatabase["holdEnds"];
}

/** Carries out a plan of kills; each killed server is started again at once. */
export class Killer {
  /** How often each class was hit. */
  readonly hits = new Map<KillClass, number>(killClasses.map((name) => [name, 0]));
  /** Kills whose moment did not come in time; they were made all the same. */
  missed = 0;
  /** The turns that were there when a server had just died; among them those of other servers. */
  leftQueued = 0;
  leftRunning = 0;
  readonly #fleet: Fleet;
  readonly #count: KillerParts["count"];
  readonly #holdEnds: KillerParts["holdEnds"];
  /** What is held for the next kill. */
  #held: HeldEnds | null = null;
  readonly #ledger: Ledger;
  readonly #moments: Moments;
  readonly #random: Random;
  /** The server that starts again, for the next kill. */
  #starting: ServerRun | null = null;
  /** How long a start takes, as it was seen last. */
  #startMs = 1_000;

  constructor({ fleet, moments, ledger, seed, count, holdEnds }: KillerParts) {
    this.#fleet = fleet;
    this.#ledger = ledger;
    this.#moments = moments;
    this.#count = count;
    this.#holdEnds = holdEnds;
    this.#random = new Random(seed, "victims");
  }

  /** Done when all have been made and every server is there again. */
  async run(plans: readonly KillPlan[], signal: AbortSignal): Promise<void> {
    for (const [index, plan] of plans.entries()) {
      if (signal.aborted) return;
      const victim = await this.#killOne(plan);
      this.hits.set(plan.class, (this.hits.get(plan.class) ?? 0) + 1);
      this.leftQueued += await this.#count("QUEUED");
      this.leftRunning += await this.#count("RUNNING");
      this.#starting = this.#startAgain(victim.index);
      const goesOn = plans[index + 1]?.class === "while it starts" || plan.overlaps;
      if (!goesOn) await this.#settled(this.#starting, signal);
    }
    for (const index of this.#indices()) {
      const run = this.#fleet.current(index);
      if (run !== null) await this.#settled(run, signal);
    }
  }

  async #killOne(plan: KillPlan): Promise<ServerRun> {
    try {
      const victim = await this.#choose(plan);
      await this.#fleet.kill(victim);
      return victim;
    } finally {
      const held = this.#held;
      this.#held = null;
      await held?.letGo();
    }
  }

  async #choose(plan: KillPlan): Promise<ServerRun> {
    if (plan.class === "while it starts" && this.#starting?.url === "") {
      await delay(plan.delay * this.#startMs);
      return this.#starting;
    }
    await this.#fleet.oneLiving(0);
    await this.#calm(plan.calm);
    return plan.moment === null ? this.#atAnyMoment(plan) : this.#atItsMoment(plan, plan.moment);
  }

  /** Counted in answers, because a server that has just started answers slowly. */
  async #calm(answers: number): Promise<void> {
    const until = this.#ledger.answered + answers;
    const deadline = Date.now() + longestCalmMs;
    while (this.#ledger.answered < until && Date.now() < deadline) await delay(5);
  }

  async #atAnyMoment(plan: KillPlan): Promise<ServerRun> {
    const choice = this.#random.next();
    await delay(plan.delay);
    return this.#fleet.oneLiving(choice);
  }

  async #atItsMoment(plan: KillPlan, name: NonNullable<KillPlan["moment"]>): Promise<ServerRun> {
    const moment = await this.#moments.next(name, plan.from, patienceMs);
    if (moment === null) {
      this.missed += 1;
      return this.#atAnyMoment(plan);
    }
    if (plan.delay >= 1) await delay(plan.delay);
    if (plan.untilQueued) await this.#queued();
    if (plan.untilEnding) await this.#ending(moment.server);
    if (plan.letGo) {
      moment.letGo();
      // Some milliseconds, in which the rest of the answer comes.
      await delay(plan.delay % 8);
    }
    return moment.server;
  }

  async #queued(): Promise<void> {
    const deadline = Date.now() + longestQueueingMs;
    while ((await this.#count("QUEUED")) === 0 && Date.now() < deadline) await nextTick();
  }

  async #ending({ name }: ServerRun): Promise<void> {
    if (this.#holdEnds === null) return delay(this.#random.next() * unheldEndMs);
    this.#held = await this.#holdEnds();
    await delay(endingMs);
    const deadline = Date.now() + longestEndingMs;
    while (!(await this.#held.waits(name))) {
      if (Date.now() > deadline) {
        this.missed += 1;
        return;
      }
      await nextTick();
    }
  }

  #startAgain(index: number): ServerRun {
    const startedAt = performance.now();
    const run = this.#fleet.start(index);
    run.ready.then(
      () => (this.#startMs = performance.now() - startedAt),
      () => undefined,
    );
    return run;
  }

  #indices(): number[] {
    return Array.from({ length: 16 }, (_, index) => index);
  }

  /** Waits until it can be asked, or was killed on the way there. Rejects where it can't start. */
  async #settled(run: ServerRun, signal: AbortSignal): Promise<void> {
    await run.ready.catch((error: unknown) => {
      if (!signal.aborted && this.#fleet.current(run.index) === run) throw error;
    });
  }
}
