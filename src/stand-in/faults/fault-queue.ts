import { parseFault, type Fault } from "./fault.js";

export const faultHeader = "x-stand-in-fault";

/** Decides which fault a request meets: the one its header asks for, else the next in line, else the standing one. */
export interface FaultQueue {
  failNext(faults: Fault[]): void;
  setStanding(fault: Fault | null): void;
  /** Throws FaultSyntaxError for a header that names no fault. */
  take(header: string | undefined): Fault | null;
}

export function createFaultQueue(initial: Fault | null): FaultQueue {
  const queued: Fault[] = [];
  let standing = initial;
  return {
    failNext: (faults) => void queued.push(...faults),
    setStanding: (fault) => void (standing = fault),
    take: (header) => (header === undefined ? (queued.shift() ?? standing) : parseFault(header)),
  };
}
