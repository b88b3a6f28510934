import cors from "@fastify/cors";
import Fastify from "fastify";
import type { FastifyCorsOptions } from "@fastify/cors";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { AppContext } from "../app-context.js";
import { newId } from "../ids.js";
import { countGuesses } from "../services/rates/count-guesses.js";
import { registerAudioRoutes } from "./audio-routes.js";
import { refuseEncodedBodies } from "./body-encoding.js";
import { clipAccess } from "./clip-access.js";
import { registerExplorer, registerNoExplorer } from "./explorers.js";
import { registerExport } from "./export-route.js";
import { registerGraphql } from "./graphql.js";
import { registerHealth } from "./health-routes.js";
import { registerHostCheck } from "./host-check.js";
import { answerUnroutable, registerHttpErrors } from "./http-errors.js";
import { addressLimits } from "./limits/address-limits.js";
import { clientTimes, endSlowBodies, limitConnections } from "./limits/slow-clients.js";
import type { ClientTimes } from "./limits/slow-clients.js";
import { registerPage } from "./page.js";
import { registerRequestId } from "./request-id.js";
import { plainHeaders, registerSecurityHeaders } from "./security-headers.js";
import { registerUploadRoutes, uploadsPath } from "./upload-routes.js";

/** What a JSON body holds besides the base64 of its clip. */
const bodyAllowanceBytes = 1024 * 1024;
/** All headers of a request and its first line, together; 431 beyond it. */
const maxHeaderBytes = 16 * 1024;
/** What clients are told in docs/limits.md. */
const audioStallMs = 30_000;

export interface HttpApp {
  app: FastifyInstance;
  /** Ends every open subscription, says so to its client, and opens no more. A second call waits for the first. */
  endSubscriptions: () => Promise<void>;
}

/**
 * The HTTP server, ready to listen: every request passes request id, host check and CORS before its route. `times` are
 * for tests.
 */
export async function createHttpApp(context: AppContext, times: ClientTimes = clientTimes): Promise<HttpApp> {
  const { config, logger } = context;
  const limits = addressLimits(context.rates, config.http);
  const { admitAddressRead, admitViewerRead, admitUpload, cameFrom } = limits;
  const authenticatorFor = (request: FastifyRequest) =>
    countGuesses(context.authenticator, context.rates, cameFrom(request).address);
  const app = Fastify({
    bodyLimit: Math.ceil((config.audio.maxBase64Bytes * 4) / 3) + bodyAllowanceBytes,
    genReqId: () => newId("req"),
    frameworkErrors: answerUnroutable(plainHeaders(config.http.publicUrl)),
    forceCloseConnections: true,
    // A slow upload may take its time, as long as it goes on; so may an answer that waits for the model.
    connectionTimeout: 0,
    requestTimeout: times.requestMs,
    keepAliveTimeout: times.keepAliveMs,
    http: {
      headersTimeout: times.headersMs,
      connectionsCheckingInterval: times.checkMs,
      maxHeaderSize: maxHeaderBytes,
    },
  });
  limitConnections(app.server, config.limits.connections);
  endSlowBodies(app.server, times);
  registerRequestId(app);
  registerSecurityHeaders(app, config.http.publicUrl);
  registerHttpErrors(app, logger);
  registerHostCheck(app, config.http.publicUrl);
  await app.register(cors, { delegator: corsOf(config.http.corsOrigins) });
  refuseEncodedBodies(app);
  registerHealth(app, () => context.readiness.report());
  const subscriptions = await registerGraphql(app, context);
  registerAudioRoutes(app, {
    findClip: clipAccess(context, { authenticatorFor, admitAddressRead, admitViewerRead }),
    openGrowing: (clipId) => context.growingClips.open(clipId),
    store: context.store,
    stallMs: audioStallMs,
    logger,
  });
  registerUploadRoutes(app, {
    signedUrls: context.signedUrls,
    admit: admitUpload,
    receive: (...upload) => context.uploadIntake.receive(...upload),
    stallMs: audioStallMs,
  });
  registerExport(app, {
    authenticatorFor,
    admitAddressRead,
    admitViewerRead,
    open: (viewer) => context.exports.open(viewer),
    stallMs: audioStallMs,
  });
  if (config.http.page) await registerPage(app, { pageDir: new URL("../../dist/page/", import.meta.url) });
  if (config.http.explorers)
    await registerExplorer(app, { explorerDir: new URL("../../dist/explorer/", import.meta.url) });
  else registerNoExplorer(app);
  return { app, endSubscriptions: () => subscriptions.end() };
}

type CorsAnswer = (error: Error | null, options?: FastifyCorsOptions) => void;

/** A page of a listed origin may PUT where uploads are sent, and nowhere else. */
function corsOf(origins: readonly string[]): (request: FastifyRequest, answer: CorsAnswer) => void {
  return (request, answer) =>
    answer(null, {
      origin: [...origins],
      methods: request.url.startsWith(uploadsPath) ? ["PUT"] : ["GET", "HEAD", "POST"],
      exposedHeaders: [
        "Content-Range",
        "ETag",
        "Accept-Ranges",
        "Content-Length",
        "X-Request-Id",
        "Retry-After",
      ],
      maxAge: 3600,
    });
}
