export { FaultSyntaxError, faultNames, parseFault, type Fault } from "./faults/fault.js";
export type { Credential } from "./credentials.js";
export type { Pause, PausePoint } from "./pauses.js";
export type { RecordedRequest, RequestEnd } from "./recorder.js";
export { startStandIn, StandInUnavailableError, type StandIn, type StandInOptions } from "./stand-in.js";
