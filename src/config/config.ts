import type { Prices } from "./prices.js";

/** Everything that can be set, checked and with defaults filled in. */
export interface Config {
  production: boolean;
  logLevel: LogLevel;
  auth: AuthConfig;
  http: HttpConfig;
  subscriptions: SubscriptionsConfig;
  model: ModelConfig;
  database: DatabaseConfig;
  dataDir: string;
  voices: VoicesConfig;
  audio: AudioConfig;
  history: { maxTokens: number; maxAudioBytes: number };
  retention: RetentionConfig;
  turns: { leaseMs: number; shutdownGraceMs: number };
  replies: { maxTokens: number | null };
  limits: LimitsConfig;
  prices: Prices;
  /** Null: what is spent is not limited. */
  budgets: BudgetLimits | null;
}

/** In millionths of a US dollar, by the day and the month of UTC; null: no limit. */
export interface BudgetLimits {
  /** Of each viewer. */
  viewer: PeriodLimits;
  /** Of all viewers of a tenant together. */
  tenant: PeriodLimits;
}

export interface PeriodLimits {
  day: number | null;
  month: number | null;
}

export const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** How people show who they are. `none`: they need not, and are all one. */
export type AuthConfig = { kind: "none" } | { kind: "api-key" } | JwtConfig;

export interface JwtConfig {
  kind: "jwt";
  /** `iss` of every token, letter by letter; `{tenantid}` stands for the token's tenant. */
  issuer: string;
  /** One of them must be among the token's `aud`. */
  audiences: readonly string[];
  /** Where the issuer's keys are; null: where its OpenID Connect configuration says. */
  jwksUrl: string | null;
  algorithms: readonly string[];
  clockSkewMs: number;
  /** Names the person within the tenant. */
  subjectClaim: string;
  /** Null: all people are of one tenant. */
  tenantClaim: string | null;
  /** Only these may come in; none: all that the issuer vouches for. */
  tenants: readonly string[];
  rolesClaim: string;
  /** Null: whoever has a token is a member, unless it makes them an operator only. */
  memberRole: string | null;
  operatorRole: string;
}

export interface HttpConfig {
  host: string;
  /** 0: the operating system picks one. */
  port: number;
  /** An origin without a path; null: the request's own. */
  publicUrl: URL | null;
  corsOrigins: readonly string[];
  introspection: boolean;
  explorers: boolean;
  /** Whether the page for people is served at `/`. */
  page: boolean;
  /** How many proxies stand in front, each of which names in X-Forwarded-For whom it has seen. */
  trustedProxies: number;
}

export interface AudioConfig {
  maxBytes: number;
  maxBase64Bytes: number;
  /** How long a signed audio URL is good for at least; twice that at most. */
  urlTtlMs: number;
}

export interface SubscriptionsConfig {
  /** Operations that may run on one WebSocket at once. */
  maxPerSocket: number;
  /** WebSockets and multipart subscriptions of one viewer that may be open at once, together. */
  maxSocketsPerViewer: number;
}

export interface LimitsConfig {
  turns: TurnLimits;
  rates: RatesConfig;
  connections: ConnectionLimits;
}

export interface ConnectionLimits {
  /** Connections that the server takes at once. */
  max: number;
  /** Of one address; null: as many as it likes. */
  maxPerAddress: number | null;
}

/** How often in a minute; null: as often as one likes. */
export interface RateBounds {
  turns: number | null;
  uploads: number | null;
  reads: number | null;
}

export interface RatesConfig {
  viewer: RateBounds;
  address: RateBounds & { failedSignIns: number | null };
}

export interface TurnLimits {
  /** Turns that this server runs at once. */
  maxRunning: number;
  /** Turns of one viewer that this server runs at once. */
  maxRunningPerViewer: number;
  /** Turns of one viewer that may be queued or running at once, on all servers together. */
  maxActivePerViewer: number;
}

/** `stand-in`: no endpoint is configured, so main.ts starts the stand-in and connects to that. */
export type ModelConfig = (
  | { provider: "azure"; endpoint: string; deployment: string; auth: ModelAuthConfig }
  | { provider: "stand-in" }
) & { apiVersion: string; idleTimeoutMs: number; totalTimeoutMs: number };

export type ModelAuthConfig = { kind: "api-key"; apiKey: string } | { kind: "keyless" };

export type DatabaseConfig = { kind: "sqlite"; path: string } | { kind: "postgresql"; url: string };

/** How many days something is kept from the end of its turn; null: until it is deleted. */
export interface RetentionConfig {
  /** Sound. */
  audioDays: number | null;
  /** Whole turns, their sound included. */
  textDays: number | null;
}

export interface VoicesConfig {
  default: string;
  /** Every voice that a client may name, the default among them. */
  all: readonly string[];
}

/** Lists every mistake in the settings, one a line, each with the name of the setting. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(["The settings can't be used:", ...mistakes.map((mistake) => `  - ${mistake}`)].join("\n"));
    this.mistakes = mistakes;
  }
}
