import type { ModelAuthConfig, ModelConfig } from "./config.js";
import type { SettingReader } from "./setting-reader.js";

const defaultApiVersion = "2025-01-01-preview";
// Below it the provider knows no audio.
const firstAudioVersion = "2025-01-01";

export function parseModel(read: SettingReader, production: boolean): ModelConfig {
  const common = {
    apiVersion: parseApiVersion(read),
    idleTimeoutMs: read.integer("MODEL_IDLE_TIMEOUT_MS", { default: 30_000, min: 100, max: 300_000 }),
    totalTimeoutMs: read.integer("MODEL_TOTAL_TIMEOUT_MS", { default: 300_000, min: 100, max: 3_600_000 }),
  };
  const standInAllowed = read.flag("STAND_IN", false);
  if (read.text("AZURE_OPENAI_ENDPOINT") === null) {
    if (production && !standInAllowed) {
      read.refuse(
        "AZURE_OPENAI_ENDPOINT is not set. With NODE_ENV=production the stand-in answers only where STAND_IN=1 allows it.",
      );
    }
    return { provider: "stand-in", ...common };
  }
  const endpoint = parseEndpoint(read);
  const deployment = read.text("AZURE_OPENAI_DEPLOYMENT_NAME");
  if (deployment === null) {
    read.refuse(
      "AZURE_OPENAI_DEPLOYMENT_NAME is required with AZURE_OPENAI_ENDPOINT: the name you gave the deployment.",
    );
  }
  return { provider: "azure", endpoint, deployment: deployment ?? "", auth: parseAuth(read), ...common };
}

function parseApiVersion(read: SettingReader): string {
  const version = read.text("OPENAI_API_VERSION") ?? defaultApiVersion;
  const dated = /^\d{4}-\d{2}-\d{2}(-preview)?$/.test(version);
  if (version !== "v1" && !dated) {
    read.refuse(
      `OPENAI_API_VERSION must be v1 or a dated version such as ${defaultApiVersion}; it is "${version}".`,
    );
  } else if (dated && version < firstAudioVersion) {
    read.refuse(
      `OPENAI_API_VERSION must be ${defaultApiVersion} or later, the first with audio; it is "${version}".`,
    );
  }
  return version;
}

/** People paste the endpoint with the path of an API behind it; only its origin counts. */
function parseEndpoint(read: SettingReader): string {
  const text = read.text("AZURE_OPENAI_ENDPOINT") ?? "";
  const stripped = text.replace(/\/+(openai(\/v1)?\/?)?$/, "");
  return read.origin("AZURE_OPENAI_ENDPOINT", stripped)?.origin ?? "";
}

function parseAuth(read: SettingReader): ModelAuthConfig {
  const apiKey = read.text("AZURE_OPENAI_API_KEY");
  return apiKey === null ? { kind: "keyless" } : { kind: "api-key", apiKey };
}
