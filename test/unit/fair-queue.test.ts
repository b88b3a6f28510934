import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FairQueue } from "../../src/services/turns/fair-queue.js";

/** `add X1`: one of viewer X waits; `end X`: one that ran for X has ended; `drop X1`: it waits no more. */
function order(bounds: [number, number], steps: string): string {
  const queue = new FairQueue<string>({ maxRunning: bounds[0], maxRunningPerViewer: bounds[1] });
  const begun: string[] = [];
  for (const step of steps.split(", ")) {
    const [what, item = ""] = step.split(" ");
    const viewer = item.slice(0, 1);
    if (what === "add") queue.add(viewer, item);
    if (what === "end") queue.end(viewer);
    if (what === "drop") queue.remove(viewer, item);
    for (let next = queue.next(); next !== null; next = queue.next()) begun.push(next);
  }
  return begun.join(" ");
}

describe("the order in which waiting turns are run", () => {
  it.each<[string, [number, number], string, string]>([
    ["that of coming, while there is room", [9, 9], "add A1, add B1, add A2", "A1 B1 A2"],
    ["that of coming, within a viewer", [1, 1], "add A1, add A2, add A3, end A, end A", "A1 A2 A3"],
    [
      "one viewer after the other, however many of one wait",
      [1, 1],
      "add A1, add A2, add A3, add B1, add C1, end A, end A, end B, end C, end A",
      "A1 A2 B1 C1 A3",
    ],
    ["past a viewer whose own bound is reached", [3, 1], "add A1, add A2, add B1", "A1 B1"],
    [
      "with the place of who was passed over kept",
      [2, 1],
      "add A1, add A2, add B1, add B2, add C1, end A, end B",
      "A1 B1 A2 B2",
    ],
    ["without what waits no more", [1, 1], "add A1, add A2, add A3, drop A2, end A, end A", "A1 A3"],
    ["without a viewer of whom nothing waits any more", [1, 1], "add A1, add B1, drop B1, end A", "A1"],
    ["as before, where what is dropped has begun", [1, 1], "add A1, add A2, drop A1, end A", "A1 A2"],
    [
      "none beyond the bound, where an end is told twice",
      [1, 1],
      "add A1, end A, end A, add A2, add A3",
      "A1 A2",
    ],
  ])("is %s", (_rule, bounds, steps, expected) => {
    expect(order(bounds, steps)).toBe(expected);
  });
});

const viewers = ["A", "B", "C", "D"] as const;
const step = fc.oneof(
  fc.record({ what: fc.constant("add" as const), viewer: fc.constantFrom(...viewers) }),
  fc.record({ what: fc.constant("end" as const), viewer: fc.constantFrom(...viewers) }),
);
const bounds = fc.record({
  maxRunning: fc.integer({ min: 1, max: 6 }),
  maxRunningPerViewer: fc.integer({ min: 1, max: 6 }),
});

/** Runs the steps on the queue and beside it on plain lists. */
class Model {
  readonly waiting = new Map<string, number[]>();
  readonly running = new Map<string, number>();
  /** How often another viewer was served since this one could have been. */
  readonly passedOver = new Map<string, Map<string, number>>();

  total(): number {
    return [...this.running.values()].reduce((sum, count) => sum + count, 0);
  }

  canRun(viewer: string, perViewer: number): boolean {
    return (this.waiting.get(viewer)?.length ?? 0) > 0 && (this.running.get(viewer) ?? 0) < perViewer;
  }
}

describe("the queue of waiting turns", () => {
  it("keeps both bounds, leaves no place free, and passes no viewer over twice for the same other one", () => {
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 120 }), (limits, steps) => {
        const queue = new FairQueue<{ viewer: string; number: number }>(limits);
        const model = new Model();
        steps.forEach(({ what, viewer }, number) => {
          const ran = model.running.get(viewer) ?? 0;
          if (what === "end") {
            queue.end(viewer);
            model.running.set(viewer, Math.max(0, ran - 1));
          } else {
            queue.add(viewer, { viewer, number });
            model.waiting.set(viewer, [...(model.waiting.get(viewer) ?? []), number]);
          }
          for (let item = queue.next(); item !== null; item = queue.next()) serve(model, item, limits);
          expect(queue.runningCount).toBe(model.total());
          const left = viewers.filter((name) => model.canRun(name, limits.maxRunningPerViewer));
          expect(left.length === 0 || model.total() === limits.maxRunning).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });
});

function serve(
  model: Model,
  { viewer, number }: { viewer: string; number: number },
  limits: { maxRunning: number; maxRunningPerViewer: number },
): void {
  for (const other of viewers) {
    if (other === viewer || !model.canRun(other, limits.maxRunningPerViewer)) continue;
    const passed = model.passedOver.get(other) ?? new Map<string, number>();
    passed.set(viewer, (passed.get(viewer) ?? 0) + 1);
    model.passedOver.set(other, passed);
    expect(passed.get(viewer)).toBeLessThanOrEqual(1);
  }
  model.passedOver.delete(viewer);
  expect(model.waiting.get(viewer)?.shift()).toBe(number);
  model.running.set(viewer, (model.running.get(viewer) ?? 0) + 1);
  expect(model.running.get(viewer)).toBeLessThanOrEqual(limits.maxRunningPerViewer);
  expect(model.total()).toBeLessThanOrEqual(limits.maxRunning);
}
