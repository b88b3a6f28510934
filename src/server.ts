import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { createAppContext } from "./app-context.js";
import type { AppContext } from "./app-context.js";
import { createCompletionClient } from "./azure/client.js";
import type { ModelConnection } from "./azure/types.js";
import { ConfigError } from "./config/config.js";
import type { Config } from "./config/config.js";
import { priceUnderBudget } from "./config/parse-budgets.js";
import { openDatabase } from "./db/database.js";
import type { DatabaseOptions } from "./db/database.js";
import { notificationsOf } from "./db/notifications.js";
import { lockForOneServer } from "./db/sqlite-lock.js";
import { createHttpApp } from "./http/app.js";
import { trackOpenAnswers } from "./http/open-answers.js";
import { newId } from "./ids.js";
import type { Logger } from "./logger.js";
import { makeFolder } from "./make-folder.js";
import { WakeUps } from "./services/live/wake-ups.js";
import { FileAudioStore } from "./storage/file-audio-store.js";

/** How long requests may take to be answered once every turn has ended. */
const lastAnswersMs = 5_000;

export interface ServerOptions extends DatabaseOptions {
  logger: Logger;
  /** Which model to call: Azure as configured, or the stand-in that main.ts has started. */
  model: ModelTargetOptions;
  /** Ends a start that is under way: what was begun is closed again, and the start rejects. */
  signal?: AbortSignal;
  /** Whether the URLs of clips are signed. Default: where people sign in. */
  signedAudio?: boolean;
}

export type ModelTargetOptions = Pick<ModelConnection, "endpoint" | "deployment" | "auth">;

export interface ParleyServer {
  /** Where it listens, with the actual port: `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly context: AppContext;
  /**
   * Ends what runs within SHUTDOWN_GRACE_MS and answers who waited for it, then closes everything in reverse order. A
   * second call waits for the first.
   */
  close(): Promise<void>;
}

/** Opens the database, listens, and recovers turns that were left behind. Rejects where `signal` aborts before that. */
export async function startServer(config: Config, options: ServerOptions): Promise<ParleyServer> {
  const { logger, onStatement, signal } = options;
  // Told before anything is opened.
  priceUnderBudget(config, options.model.deployment);
  const closers: (() => Promise<unknown>)[] = [await lockForOneServer(config.database)];
  const close = once(async () => {
    for (const closer of closers.reverse()) await closer();
  });
  try {
    signal?.throwIfAborted();
    const database = await openDatabase(config.database, { onStatement });
    closers.push(() => database.close());
    signal?.throwIfAborted();
    if (database.applied.length > 0)
      logger.info({ migrations: database.applied }, "the database was brought up to date");
    const store = new FileAudioStore(await writableFolder(config.dataDir, "audio"));
    const serverId = newId("srv");
    const wakeUps = new WakeUps(notificationsOf(config.database, { serverId, logger }));
    closers.push(() => wakeUps.close());
    const connection = { ...options.model, ...config.model };
    const { endpoint, deployment, apiVersion } = connection;
    const context = createAppContext({
      config,
      logger,
      database,
      store,
      wakeUps,
      serverId,
      signedAudio: options.signedAudio,
      model: createCompletionClient(connection, { logger }),
      target: { endpoint, deployment, apiVersion },
    });
    await context.budgets?.recount();
    // Before a request needs it.
    await context.signingKeys.current();
    closers.push(() => context.housekeeping.close());
    closers.push(() => context.deletions.close());
    closers.push(() => context.recovery.close());
    const { app, endSubscriptions } = await createHttpApp(context);
    const openAnswers = trackOpenAnswers(app.server);
    closers.push(() => app.close());
    // Who waited for a turn hears how it ended: closing the app cuts every connection.
    closers.push(() => openAnswers.settled(lastAnswersMs));
    closers.push(endSubscriptions);
    // Who listens hears the last event of every turn before the connections are closed.
    closers.push(() => context.activity.settled(lastAnswersMs));
    closers.push(() => context.runner.close(config.turns.shutdownGraceMs));
    signal?.throwIfAborted();
    await app.listen({ host: config.http.host, port: config.http.port });
    signal?.addEventListener("abort", () => void context.recovery.close(), { once: true });
    await context.recovery.start();
    signal?.throwIfAborted();
    context.deletions.start();
    context.housekeeping.start();
    return { url: urlOf(config.http.host, app.server.address()), context, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Told at the start, rather than by the first answer that can't be kept. */
async function writableFolder(dataDir: string, name: string): Promise<string> {
  const folder = join(dataDir, name);
  try {
    await makeFolder(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return folder;
  } catch (error) {
    throw new ConfigError([
      `DATA_DIR ${dataDir} must be a folder that this user may write: ${String(error)}`,
    ]);
  }
}

function urlOf(host: string, address: AddressInfo | string | null): string {
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => (running ??= action());
}
