import type { Config } from "./config/config.js";
import { readSettings } from "./config/env.js";
import { parseConfig } from "./config/parse-config.js";
import { createLogger } from "./logger.js";
import type { Logger } from "./logger.js";
import { startServer } from "./server.js";
import type { ModelTargetOptions } from "./server.js";
import { explainStart } from "./start-errors.js";

interface Running {
  url: string;
  close(): Promise<void>;
}

interface Model {
  options: ModelTargetOptions;
  close(): Promise<void>;
}

async function main(): Promise<void> {
  const { env, warnings } = readSettings();
  const config = parseConfig(env);
  const logger = createLogger({ level: config.logLevel, json: config.production });
  for (const warning of warnings) logger.warn(warning);
  endAtFaults(logger);
  const told = new AbortController();
  const starting = start(config, logger, told.signal);
  // Before anything runs that must be closed in good order.
  onSignals(async () => {
    told.abort();
    // Where it could not start, what was begun is closed already.
    const running = await starting.catch(() => null);
    await running?.close();
  }, logger);
  try {
    const { url } = await starting;
    process.stdout.write(readiness(url, config.http.page));
  } catch (error) {
    if (!told.signal.aborted) throw error;
  }
}

/** Programs wait for the first line. */
function readiness(url: string, page: boolean): string {
  const ready = `Parley is ready at ${url}/graphql\n`;
  return page ? `${ready}Talk to it at ${url}\n` : ready;
}

/** Model and server. Rejects where the signal aborts before they are ready. */
async function start(config: Config, logger: Logger, signal: AbortSignal): Promise<Running> {
  const model = await connectModel(config, logger);
  try {
    const server = await startServer(config, { logger, model: model.options, signal });
    const close = async () => {
      await server.close();
      await model.close();
    };
    return { url: server.url, close };
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function connectModel(config: Config, logger: Logger): Promise<Model> {
  const { model } = config;
  if (model.provider === "azure") {
    const { endpoint, deployment, auth } = model;
    if (auth.kind === "api-key")
      logger.info("an API key is set: keyless sign-in with Microsoft Entra ID is off");
    logger.info(
      { endpoint, deployment, apiVersion: model.apiVersion },
      "turns go to Azure OpenAI; it is asked nothing before the first one",
    );
    return { options: { endpoint, deployment, auth }, close: () => Promise.resolve() };
  }
  const standIn = await startStandIn(logger);
  logger.warn(
    { url: standIn.url },
    "the stand-in answers, with synthetic speech: set AZURE_OPENAI_ENDPOINT to be answered by Azure OpenAI",
  );
  const auth = { kind: "api-key", apiKey: "stand-in" } as const;
  return { options: { endpoint: standIn.url, deployment: "stand-in", auth }, close: () => standIn.close() };
}

async function startStandIn(logger: Logger) {
  // Part of the development install only, so it is loaded only where it is needed.
  const standIn = await import("./stand-in/stand-in.js");
  return standIn.startStandIn({ logger, hearing: {} });
}

/** Node would end the process, too, but print all that the error holds. */
function endAtFaults(logger: Logger): void {
  process.on("uncaughtException", (error) => {
    logger.fatal({ err: error }, "the server ends by a fault that nothing caught");
    process.exit(1);
  });
}

/** The first signal ends what runs in good order, the second at once. */
function onSignals(stop: () => Promise<void>, logger: Logger): void {
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      logger.info({ signal }, "shutting down; a second signal ends at once");
      stop().then(
        () => {
          logger.info("Parley has stopped");
          process.exit(0);
        },
        (error: unknown) => {
          logger.error({ err: error }, "shutting down failed");
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${explainStart(error)}\n`);
  process.exitCode = 1;
});
