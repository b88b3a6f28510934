import type { CompletionClient } from "./azure/types.js";
import type { Config } from "./config/config.js";
import type { Database } from "./db/database.js";
import { newId } from "./ids.js";
import type { Logger } from "./logger.js";
import type { Viewer } from "./auth/viewer.js";
import { ViewerReading } from "./services/reading/viewer-reading.js";
import { AudioIntake } from "./services/audio/intake.js";
import { capabilitiesOf } from "./services/capabilities.js";
import type { Capabilities } from "./services/capabilities.js";
import { ConversationService } from "./services/conversations/conversation-service.js";
import type { ModelTarget } from "./services/turns/model-target.js";
import { TurnRecovery } from "./services/turns/recovery.js";
import { TurnRunner } from "./services/turns/runner.js";
import { TurnEnds } from "./services/turns/turn-ends.js";
import { TurnService } from "./services/turns/turn-service.js";
import type { AudioStore } from "./storage/audio-store.js";

/** What the server is made of; everything else asks for parts of it. */
export interface AppContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  readonly store: AudioStore;
  readonly capabilities: Capabilities;
  readonly conversations: ConversationService;
  readonly turns: TurnService;
  readonly runner: TurnRunner;
  readonly recovery: TurnRecovery;
  readingFor(viewer: Viewer): ViewerReading;
}

/** What reaches outside the process; opened before, closed after. */
export interface AppResources {
  config: Config;
  logger: Logger;
  database: Database;
  store: AudioStore;
  model: CompletionClient;
  target: ModelTarget;
}

/** The one place that constructs services. */
export function createAppContext(resources: AppResources): AppContext {
  const { config, logger, database, store, model, target } = resources;
  const { client } = database;
  const { history, prices, voices } = config;
  const { leaseMs } = config.turns;
  const ends = new TurnEnds();
  const serverId = newId("srv");
  const runner = new TurnRunner({
    client,
    store,
    model,
    target,
    history,
    prices,
    ends,
    logger,
    serverId,
    leaseMs,
  });
  const intake = new AudioIntake(store, config.audio);
  const turns = new TurnService({ client, store, intake, runner, ends, voices, logger });
  return {
    config,
    logger,
    database,
    store,
    capabilities: capabilitiesOf(config),
    conversations: new ConversationService({ client, store, voices, turns, logger }),
    turns,
    runner,
    readingFor: (viewer) => new ViewerReading(client, prices, viewer),
    recovery: new TurnRecovery({
      database,
      ends,
      logger,
      leaseMs,
      prices,
      isRunningHere: (turnId) => runner.isRunning(turnId),
    }),
  };
}
