import type { WakeUps } from "../live/wake-ups.js";

/** Tells who listens to a turn, waits for it or runs it on another server that its conversation was deleted. */
export function tellDropped(wakeUps: WakeUps, turnId: string): void {
  wakeUps.publish(`turn ${turnId}`);
  wakeUps.tellOthers(`end ${turnId}`);
  wakeUps.tellOthers(`cancel ${turnId}`);
}
