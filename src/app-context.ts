import type { CompletionClient } from "./azure/types.js";
import type { Config } from "./config/config.js";
import type { Database } from "./db/database.js";
import { dialectOf } from "./db/sql.js";
import type { Logger } from "./logger.js";
import { createAuthenticator } from "./auth/authenticator.js";
import type { Authenticator } from "./auth/sign-in.js";
import type { Viewer } from "./auth/viewer.js";
import { ViewerReading } from "./services/reading/viewer-reading.js";
import { GrowingClips } from "./services/audio/growing-clip.js";
import { AudioIntake } from "./services/audio/intake.js";
import { capabilitiesOf } from "./services/capabilities.js";
import type { Capabilities } from "./services/capabilities.js";
import { ConversationService } from "./services/conversations/conversation-service.js";
import { Deletions } from "./services/keeping/deletions.js";
import { Retention } from "./services/keeping/retention.js";
import { Housekeeping } from "./services/housekeeping.js";
import { Activity } from "./services/live/activity.js";
import { ClipSound } from "./services/live/clip-sound.js";
import { isTold } from "./services/live/is-told.js";
import { ConversationEvents } from "./services/live/conversation-events.js";
import { TurnEvents } from "./services/live/turn-events.js";
import { TurnFeeds } from "./services/live/turn-feeds.js";
import type { WakeUps } from "./services/live/wake-ups.js";
import type { ModelTarget } from "./services/turns/model-target.js";
import { Readiness } from "./services/readiness.js";
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
  readonly authenticator: Authenticator;
  readonly capabilities: Capabilities;
  readonly conversations: ConversationService;
  readonly deletions: Deletions;
  readonly retention: Retention;
  readonly turns: TurnService;
  readonly turnEvents: TurnEvents;
  readonly conversationEvents: ConversationEvents;
  /** Who is being told of events right now. */
  readonly activity: Activity;
  readonly growingClips: GrowingClips;
  readonly runner: TurnRunner;
  readonly recovery: TurnRecovery;
  readonly housekeeping: Housekeeping;
  readonly readiness: Readiness;
  readingFor(viewer: Viewer): ViewerReading;
}

/** What reaches outside the process; opened before, closed after. */
export interface AppResources {
  config: Config;
  logger: Logger;
  database: Database;
  store: AudioStore;
  wakeUps: WakeUps;
  model: CompletionClient;
  target: ModelTarget;
  /** Names this process among those that share the database. */
  serverId: string;
}

/** The one place that constructs services. */
export function createAppContext(resources: AppResources): AppContext {
  const { config, logger, database, store, wakeUps, target } = resources;
  const { client } = database;
  const { prices, voices } = config;
  const { leaseMs } = config.turns;
  const ends = new TurnEnds(wakeUps);
  const activity = new Activity();
  const sound = new ClipSound(store, (...told) => isTold(client, ...told));
  const feeds = new TurnFeeds({ client, wakeUps, activity, sound, logger });
  const log = { client, dialect: dialectOf(database.kind), feeds, logger };
  const runner = new TurnRunner({
    client,
    store,
    model: resources.model,
    target,
    history: config.history,
    prices,
    logger,
    log,
    wakeUps,
    ends,
    serverId: resources.serverId,
    leaseMs,
  });
  const intake = new AudioIntake(store, config.audio);
  const turns = new TurnService({ client, store, intake, runner, ends, wakeUps, voices, logger });
  const deletions = new Deletions({ client, store, turns, wakeUps, logger });
  const days = config.retention;
  const retention = new Retention({ client, store, logger, wakeUps, deletions, days });
  return {
    config,
    logger,
    database,
    store,
    authenticator: createAuthenticator(config.auth, client, logger),
    capabilities: capabilitiesOf(config),
    conversations: new ConversationService({ client, voices, deletions, wakeUps }),
    deletions,
    retention,
    turns,
    turnEvents: new TurnEvents({ feeds, sound, activity, find: (viewer, id) => turns.find(viewer, id) }),
    conversationEvents: new ConversationEvents({ client, wakeUps, activity, logger }),
    activity,
    growingClips: new GrowingClips(client, feeds, sound),
    runner,
    readingFor: (viewer) => new ViewerReading(client, prices, viewer),
    recovery: new TurnRecovery({ database, store, runner, ends, logger, target, leaseMs, prices }),
    housekeeping: new Housekeeping({ client, store, retention, logger }),
    readiness: new Readiness({ database, store, runner, logger }),
  };
}
