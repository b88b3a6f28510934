import type { AuthConfig } from "../config/config.js";
import type { DatabaseClient } from "../db/database.js";
import type { Logger } from "../logger.js";
import { ApiKeyAuthenticator, ApiKeys } from "./api-keys.js";
import { tellingFailures } from "./failed-sign-ins.js";
import { JwtAuthenticator } from "./jwt.js";
import type { Authenticator, SignIn } from "./sign-in.js";
import { localViewer } from "./viewer.js";

const local: SignIn = Object.freeze({
  viewer: localViewer,
  expiresAt: null,
  recheck: () => Promise.resolve(),
});

/** Everybody who reaches the server is the same person; whatever they show is not looked at. */
export const nobodySignsIn: Authenticator = Object.freeze({
  required: false,
  signIn: () => Promise.resolve(local),
});

/** The one place that tells who sends a request, by the setting AUTH. */
export function createAuthenticator(
  config: AuthConfig,
  client: DatabaseClient,
  logger: Logger,
): Authenticator {
  switch (config.kind) {
    case "none":
      return nobodySignsIn;
    case "jwt":
      return tellingFailures(new JwtAuthenticator(config, logger), logger);
    case "api-key":
      return tellingFailures(new ApiKeyAuthenticator(new ApiKeys(client)), logger);
  }
}
