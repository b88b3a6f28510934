import type { GraphQLSchema } from "graphql";
import type { Authenticator } from "../../auth/sign-in.js";
import type { Viewer } from "../../auth/viewer.js";
import type { HttpConfig, SubscriptionsConfig } from "../../config/config.js";
import type { CameFrom } from "../../services/rates/admission.js";
import type { Logger } from "../../logger.js";

/** What both transports of subscriptions are made of. */
export interface LiveSettings {
  schema: GraphQLSchema;
  /** Tells who sends what comes from the address. */
  authenticatorFor: (address: string) => Authenticator;
  /** Called for each operation and once more for each of its events. `origin` is where the server's own URLs begin. */
  createContext: (viewer: Viewer, origin: string, from: CameFrom) => object;
  http: Pick<HttpConfig, "publicUrl" | "corsOrigins" | "introspection" | "trustedProxies">;
  limits: SubscriptionsConfig;
  /** Of all open subscriptions of a viewer together, by the rule of docs/limits.md; null where nothing bounds it. */
  maxEventCost: number | null;
  rates: SocketRates;
  logger: Logger;
  times: LiveTimes;
}

/** Counts what comes over sockets before it is looked at. Both reject with RATE_LIMITED. */
export interface SocketRates {
  /** A socket that is to be opened: a read of the address. */
  admitSocket: (address: string) => Promise<void>;
  /** An operation, valid or not: a read of the address and of the viewer. */
  admitOperation: (address: string, viewer: Viewer) => Promise<void>;
}

/** In milliseconds. */
export interface LiveTimes {
  /** Between the pings of a socket; one that has not answered the last is cut off. */
  pingMs: number;
  /** How long a socket may be open without `connection_init`. */
  initMs: number;
  /** Between the heartbeats of a multipart subscription. */
  heartbeatMs: number;
  /** How long a client may take no byte of a multipart subscription. */
  stallMs: number;
  /** Between looks whether whoever opened a connection may still be there. */
  recheckMs: number;
}

/** What clients are told in docs/limits.md. */
export const liveTimes: LiveTimes = {
  pingMs: 12_000,
  initMs: 10_000,
  heartbeatMs: 5_000,
  stallMs: 30_000,
  recheckMs: 15_000,
};

/** How long a client may take to take leave when a connection is closed, in milliseconds. */
export const leaveMs = 1_000;
