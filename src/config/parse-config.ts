import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import { ConfigError, logLevels } from "./config.js";
import type { Config, HttpConfig, VoicesConfig } from "./config.js";
import type { Env } from "./env.js";
import { parseAuth } from "./parse-auth.js";
import { parseBudgets, parseMaxReplyTokens } from "./parse-budgets.js";
import { parseDatabase } from "./parse-database.js";
import { parseLimits } from "./parse-limits.js";
import { parseModel } from "./parse-model.js";
import { parseRetention } from "./parse-retention.js";
import { readPrices } from "./prices.js";
import type { Prices } from "./prices.js";
import { SettingReader } from "./setting-reader.js";
import { providerVoices } from "./voices.js";

const defaultMaxAudioBytes = 20 * 1024 * 1024;
/** Base64 is for small clips: it is held in memory, decoded and undecoded. */
const maxBase64Bytes = 4 * 1024 * 1024;
const hostedSandbox = "https://studio.apollographql.com";

/**
 * Checks all settings together and fills in the defaults.
 * @throws ConfigError that lists every mistake
 */
export function parseConfig(env: Env): Config {
  const read = new SettingReader(env);
  const production = read.text("NODE_ENV") === "production";
  const dataDir = resolve(read.text("DATA_DIR") ?? "./data");
  const auth = parseAuth(read);
  const budgets = parseBudgets(read);
  const config: Config = {
    production,
    logLevel: read.choice("LOG_LEVEL", logLevels, "info"),
    auth,
    http: parseHttp(read, production, auth.kind !== "none"),
    subscriptions: {
      maxPerSocket: read.integer("MAX_SUBSCRIPTIONS_PER_SOCKET", { default: 100, min: 1, max: 10_000 }),
      maxSocketsPerViewer: read.integer("MAX_SOCKETS_PER_VIEWER", { default: 1_000, min: 1, max: 1_000_000 }),
    },
    model: parseModel(read, production),
    database: parseDatabase(read, dataDir),
    dataDir,
    voices: parseVoices(read),
    audio: parseAudio(read),
    history: {
      maxTokens: read.integer("HISTORY_MAX_TOKENS", { default: 100_000, min: 0, max: 10_000_000 }),
      maxAudioBytes: read.integer("HISTORY_MAX_AUDIO_BYTES", {
        default: defaultMaxAudioBytes,
        min: 0,
        max: 100 * 1024 * 1024,
      }),
    },
    retention: parseRetention(read),
    turns: {
      leaseMs: read.integer("LEASE_MS", { default: 30_000, min: 1_000, max: 600_000 }),
      shutdownGraceMs: read.integer("SHUTDOWN_GRACE_MS", { default: 25_000, min: 0, max: 600_000 }),
    },
    replies: { maxTokens: parseMaxReplyTokens(read, budgets) },
    limits: parseLimits(read, { signIn: auth.kind !== "none" }),
    prices: parsePrices(read),
    budgets,
  };
  if (read.mistakes.length > 0) throw new ConfigError(read.mistakes);
  return deepFreeze(config);
}

function parseHttp(read: SettingReader, production: boolean, signIn: boolean): HttpConfig {
  const host = read.text("HOST") ?? "127.0.0.1";
  if (!isLoopback(host) && !signIn) {
    read.refuse(
      `HOST must be a loopback address (127.0.0.1, ::1 or localhost) while nobody has to sign in; it is "${host}". ` +
        "Set AUTH to jwt or api-key, or put a reverse proxy that checks its callers in front and set PUBLIC_URL.",
    );
  }
  return {
    // Brackets belong to addresses in URLs; a listener takes the address as such.
    host: host.replace(/^\[(.*)\]$/, "$1"),
    port: read.integer("PORT", { default: 4000, min: 0, max: 65_535 }),
    publicUrl: read.origin("PUBLIC_URL"),
    corsOrigins: parseCorsOrigins(read),
    introspection: read.flag("INTROSPECTION", !production),
    explorers: read.flag("EXPLORERS", !production),
    page: read.flag("PAGE", true),
    trustedProxies: read.integer("TRUST_PROXY", { default: 0, min: 0, max: 16 }),
  };
}

function parseCorsOrigins(read: SettingReader): string[] {
  if (read.text("CORS_ORIGINS") === null) return [hostedSandbox];
  return read.list("CORS_ORIGINS").flatMap((text) => read.origin("CORS_ORIGINS", text)?.origin ?? []);
}

/** Whether only programs on this machine can reach a server that listens on the host. */
function isLoopback(host: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(host) || (isIPv4(host) && host.startsWith("127."));
}

function parseVoices(read: SettingReader): VoicesConfig {
  const extra = read.list("EXTRA_VOICES");
  for (const voice of extra) {
    if (!/^[\w.-]{1,64}$/.test(voice))
      read.refuse(`EXTRA_VOICES holds "${voice}", which can't be a voice's name.`);
  }
  const all = [...new Set([...providerVoices, ...extra])];
  const chosen = read.text("DEFAULT_VOICE") ?? "alloy";
  if (!all.includes(chosen)) {
    read.refuse(
      `DEFAULT_VOICE must be one of ${all.join(", ")}; it is "${chosen}". Add new ones with EXTRA_VOICES.`,
    );
  }
  return { default: chosen, all };
}

function parseAudio(read: SettingReader): Config["audio"] {
  // The model refuses larger files, so a higher limit could only lead to failed turns.
  const range = { default: defaultMaxAudioBytes, min: 1_024, max: defaultMaxAudioBytes };
  const maxBytes = read.integer("MAX_AUDIO_BYTES", range);
  return {
    maxBytes,
    maxBase64Bytes: Math.min(maxBase64Bytes, maxBytes),
    urlTtlMs: read.integer("AUDIO_URL_TTL_MS", { default: 900_000, min: 60_000, max: 86_400_000 }),
  };
}

function parsePrices(read: SettingReader): Prices {
  const path = read.text("PRICES_FILE");
  if (path === null) return new Map();
  try {
    return readPrices(path);
  } catch (error) {
    read.refuse(
      `PRICES_FILE ${path} can't be used: ${error instanceof Error ? error.message : String(error)}`,
    );
    return new Map();
  }
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || value instanceof URL || value instanceof Map)
    return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
