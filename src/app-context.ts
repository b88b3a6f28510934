import type { CompletionClient } from "./azure/types.js";
import { priceUnderBudget } from "./config/parse-budgets.js";
import type { Config } from "./config/config.js";
import type { Database } from "./db/database.js";
import { dialectOf } from "./db/sql.js";
import type { Logger } from "./logger.js";
import { createAuthenticator } from "./auth/authenticator.js";
import type { Authenticator } from "./auth/sign-in.js";
import type { Viewer } from "./auth/viewer.js";
import { createLoaders } from "./services/reading/loaders.js";
import { ViewerReading } from "./services/reading/viewer-reading.js";
import { AudioUrls } from "./services/audio/audio-urls.js";
import { GrowingClips } from "./services/audio/growing-clip.js";
import { TenantUsages } from "./services/usage/tenant-usage.js";
import { AudioIntake } from "./services/audio/intake.js";
import { Budgets } from "./services/budgets/budgets.js";
import { capabilitiesOf } from "./services/capabilities.js";
import type { Capabilities } from "./services/capabilities.js";
import { ConversationService } from "./services/conversations/conversation-service.js";
import { Deletions } from "./services/keeping/deletions.js";
import { ViewerExports } from "./services/export/viewer-export.js";
import { Retention } from "./services/keeping/retention.js";
import { Housekeeping } from "./services/housekeeping.js";
import { Activity } from "./services/live/activity.js";
import { ClipSound } from "./services/live/clip-sound.js";
import { isTold } from "./services/live/is-told.js";
import { ConversationEvents } from "./services/live/conversation-events.js";
import { TurnEvents } from "./services/live/turn-events.js";
import { TurnFeeds } from "./services/live/turn-feeds.js";
import type { WakeUps } from "./services/live/wake-ups.js";
import { longestUrlMs } from "./services/signing/longest-url.js";
import { SignedUrls } from "./services/signing/signed-urls.js";
import { SigningKeys } from "./services/signing/signing-keys.js";
import { AudioUploads } from "./services/uploads/audio-uploads.js";
import { UploadIntake } from "./services/uploads/upload-intake.js";
import type { ModelTarget } from "./services/turns/model-target.js";
import { RateLimits } from "./services/rates/rate-limits.js";
import { StoredRateWindows } from "./services/rates/rate-windows.js";
import { Readiness } from "./services/readiness.js";
import { TurnRecovery } from "./services/turns/recovery.js";
import { TurnRunner } from "./services/turns/runner.js";
import { TurnEnds } from "./services/turns/turn-ends.js";
import { TurnService } from "./services/turns/turn-service.js";
import type { AudioClipRow } from "./db/rows.js";
import type { AudioStore } from "./storage/audio-store.js";

/** What the server is made of; everything else asks for parts of it. */
export interface AppContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  readonly store: AudioStore;
  readonly authenticator: Authenticator;
  readonly capabilities: Capabilities;
  /** Null where none is set. */
  readonly budgets: Budgets | null;
  readonly conversations: ConversationService;
  readonly deletions: Deletions;
  readonly retention: Retention;
  readonly exports: ViewerExports;
  readonly turns: TurnService;
  readonly turnEvents: TurnEvents;
  readonly conversationEvents: ConversationEvents;
  /** Who is being told of events right now. */
  readonly activity: Activity;
  readonly tenantUsage: TenantUsages;
  readonly growingClips: GrowingClips;
  readonly rates: RateLimits;
  readonly audioUrls: AudioUrls;
  /** Whether the URLs of clips are signed. */
  readonly signedAudio: boolean;
  readonly signedUrls: SignedUrls;
  readonly signingKeys: SigningKeys;
  readonly uploads: AudioUploads;
  readonly uploadIntake: UploadIntake;
  readonly runner: TurnRunner;
  readonly recovery: TurnRecovery;
  readonly housekeeping: Housekeeping;
  readonly readiness: Readiness;
  readingFor(viewer: Viewer): ViewerReading;
  /** A clip of the viewer's, who was told by a signed URL; null for one that is unknown, malformed or not theirs. */
  findClip(viewerId: string, clipId: string): Promise<AudioClipRow | null>;
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
  /** Undefined: where people sign in. */
  signedAudio: boolean | undefined;
}

/** The one place that constructs services. */
export function createAppContext(resources: AppResources): AppContext {
  const { config, logger, database, store, wakeUps, target } = resources;
  const { client } = database;
  const { limits, prices, voices } = config;
  const { leaseMs } = config.turns;
  const budgets = createBudgets(resources);
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
    maxReplyTokens: config.replies.maxTokens,
    prices,
    budgets,
    logger,
    log,
    wakeUps,
    ends,
    serverId: resources.serverId,
    leaseMs,
    bounds: limits.turns,
  });
  const { maxActivePerViewer: maxActive } = limits.turns;
  const windows = new StoredRateWindows(client);
  const intake = new AudioIntake(store, config.audio);
  const authenticator = createAuthenticator(config.auth, client, logger);
  const signedAudio = resources.signedAudio ?? authenticator.required;
  const signingKeys = new SigningKeys({ client, longestUrlMs: longestUrlMs(config.audio) });
  const signedUrls = new SignedUrls(signingKeys);
  const dialect = dialectOf(database.kind);
  const { maxBytes } = config.audio;
  const uploads = new AudioUploads({ client, dialect, store, signedUrls, maxBytes, logger });
  const turns = new TurnService({
    client,
    store,
    intake,
    uploads,
    runner,
    ends,
    wakeUps,
    voices,
    budgets,
    logger,
    maxActive,
  });
  const { eraseRemoved } = database;
  const deletions = new Deletions({ client, store, turns, wakeUps, logger, eraseRemoved });
  const days = config.retention;
  const retention = new Retention({ client, store, logger, wakeUps, deletions, days, eraseRemoved });
  return {
    config,
    logger,
    database,
    store,
    authenticator,
    capabilities: capabilitiesOf(config),
    budgets,
    conversations: new ConversationService({ client, voices, deletions, wakeUps }),
    deletions,
    retention,
    exports: new ViewerExports({ client, store, prices, logger }),
    turns,
    turnEvents: new TurnEvents({ feeds, sound, activity, find: (viewer, id) => turns.find(viewer, id) }),
    conversationEvents: new ConversationEvents({ client, wakeUps, activity, logger }),
    activity,
    tenantUsage: new TenantUsages(client, prices),
    growingClips: new GrowingClips(client, feeds, sound),
    rates: new RateLimits({ windows, rates: limits.rates, logger }),
    audioUrls: new AudioUrls({ signedUrls: signedAudio ? signedUrls : null, ttlMs: config.audio.urlTtlMs }),
    signedAudio,
    signedUrls,
    signingKeys,
    uploads,
    uploadIntake: new UploadIntake({ client, store, logger }),
    runner,
    readingFor: (viewer) => new ViewerReading(client, prices, budgets, viewer),
    findClip: (viewerId, clipId) =>
      createLoaders(client, prices, { id: viewerId, tenantId: null }).clip.load(clipId),
    recovery: new TurnRecovery({ database, store, runner, ends, logger, target, leaseMs, prices, budgets }),
    housekeeping: new Housekeeping({ client, dialect, store, windows, signingKeys, retention, logger }),
    readiness: new Readiness({ database, store, runner, logger }),
  };
}

function createBudgets({ config, database, target }: AppResources): Budgets | null {
  const { budgets: limits, history, model, replies } = config;
  const price = priceUnderBudget(config, target.deployment);
  if (limits === null || price === null) return null;
  return new Budgets({ database, limits, price, target, history, model, maxReplyTokens: replies.maxTokens });
}
