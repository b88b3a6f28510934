import type { Env } from "./env.js";
import { nodeEnv, settingNames } from "./setting-names.js";

const known: readonly string[] = [...settingNames, nodeEnv];
/** Names that begin so are meant for Parley, also among the many that an environment holds. */
const ownPrefixes =
  /^(AUTH_JWT|AZURE_OPENAI|BUDGET_(VIEWER|TENANT)|HISTORY_MAX|MODEL_(IDLE|TOTAL)|RATE_(ADDRESS|READS|TURNS|UPLOADS)|RETENTION)_/;

/**
 * What was set and does nothing: a misspelt name, or a setting that needs another one. No values are repeated.
 * @param fileNames what the `.env` file sets, which is for Parley alone
 */
export function warningsAbout(env: Env, fileNames: readonly string[]): string[] {
  const isSet = (name: string) => (env[name] ?? "").trim() !== "";
  const unknown = [...new Set([...fileNames, ...Object.keys(env).filter((name) => ownPrefixes.test(name))])]
    .filter((name) => !known.includes(name) && isSet(name))
    .map((name) => unknownName(name, fileNames.includes(name)));
  const idle: string[] = [];
  if (isSet("AZURE_OPENAI_API_KEY") && !isSet("AZURE_OPENAI_ENDPOINT"))
    idle.push("AZURE_OPENAI_API_KEY has no effect without AZURE_OPENAI_ENDPOINT.");
  const forTokens = settingNames.filter((name) => name.startsWith("AUTH_JWT_") && isSet(name));
  if (forTokens.length > 0 && env["AUTH"]?.trim().toLowerCase() !== "jwt")
    idle.push(
      `${forTokens.join(", ")} ${forTokens.length === 1 ? "has" : "have"} no effect without AUTH=jwt.`,
    );
  return [...unknown, ...idle];
}

function unknownName(name: string, inFile: boolean): string {
  const place = inFile ? " (in the .env file)" : "";
  const azure = inFile && name.startsWith("AZURE_") ? " The Azure SDK reads the environment alone." : "";
  return `${name}${place} is no setting of Parley and has no effect; docs/settings.md lists all.${azure}`;
}
