import type { MomentName } from "./moments.js";
import { Random } from "./random.js";

/** The kinds of moments at which servers are killed. */
export const killClasses = [
  "in an upload",
  "before the model is asked",
  "when the model has been asked",
  "during the answer",
  "right after the answer",
  "in the last transaction",
  "at any moment",
  "while it starts",
] as const;
export type KillClass = (typeof killClasses)[number];

export interface KillPlan {
  class: KillClass;
  /** What is waited for; null: only for the delay. */
  moment: MomentName | null;
  /** From how far on, for an upload: 0 to 1. */
  from: number;
  /** How long after the moment; for a server that starts, the share of the time that this takes. */
  delay: number;
  /** Whether a turn must be kept that has not begun to run. */
  untilQueued: boolean;
  /** Whether the transaction that ends the turn is held before its commit, where the database can be made to. */
  untilEnding: boolean;
  /** Whether a held answer goes on just before the kill. */
  letGo: boolean;
  /** How many requests are answered undisturbed before it. */
  calm: number;
  /** Goes on to the next kill while this server is still starting again, where there are others. */
  overlaps: boolean;
}

/** The classes evenly, each round of them in another order. */
export function planKills(seed: number, kills: number): KillPlan[] {
  const random = new Random(seed, "kills");
  const plans: KillPlan[] = [];
  while (plans.length < kills) plans.push(...random.shuffled(killClasses).map((one) => plan(one, random)));
  return plans.slice(0, kills);
}

function plan(killClass: KillClass, random: Random): KillPlan {
  const common = { class: killClass, from: 0, calm: random.whole(0, 8) };
  const nothing = { letGo: false, untilQueued: false, untilEnding: false };
  const draws = { overlaps: random.chance(0.25), even: random.chance(0.5), part: random.next() };
  const timed = timing(killClass, draws);
  return { ...common, ...nothing, overlaps: draws.overlaps, ...timed };
}

function timing(
  killClass: KillClass,
  { even, part }: { even: boolean; part: number },
): Pick<KillPlan, "moment" | "delay"> & Partial<KillPlan> {
  switch (killClass) {
    case "in an upload":
      return { moment: "uploading", from: part, delay: even ? 0 : part * 10 };
    case "before the model is asked":
      // Most such moments are short: the row tells when one has come.
      if (even) return { moment: "sent", delay: 0, untilQueued: true };
      return part < 0.4 ? { moment: "accepted", delay: 0 } : { moment: "sent", delay: (part - 0.4) * 100 };
    case "when the model has been asked":
      return { moment: "asked", delay: 0 };
    case "during the answer":
      return { moment: "answering", delay: part * 500, letGo: even };
    case "right after the answer":
      return { moment: "answered", delay: part * 15 };
    case "in the last transaction":
      return { moment: "answered", delay: 0, untilEnding: true };
    case "at any moment":
      return { moment: null, delay: part * 500 };
    case "while it starts":
      return { moment: null, delay: part * 1.1, calm: 0 };
  }
}
