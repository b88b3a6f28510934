import { ParleyError } from "../errors.js";
import type { Logger } from "../logger.js";
import { RefusalReason } from "./sign-in.js";
import type { Authenticator } from "./sign-in.js";

/** How often one reason is logged at most, in milliseconds: strangers may send tokens without end. */
const logEveryMs = 10_000;

/**
 * The same authenticator, which tells the log why what somebody has sent was refused. Clients are told the same of
 * everything, so an operator who set a wrong audience would not learn of it elsewhere.
 */
export function tellingFailures(authenticator: Authenticator, logger: Logger): Authenticator {
  const failures = new FailedSignIns(logger);
  return {
    required: authenticator.required,
    signIn: async (credential) => {
      try {
        return await authenticator.signIn(credential);
      } catch (error) {
        if (credential !== null) failures.tell(error);
        throw error;
      }
    },
  };
}

/** There are as many reasons as the code names, so that what is kept of them is bounded. */
class FailedSignIns {
  readonly #logger: Logger;
  readonly #reasons = new Map<string, { loggedAtMs: number; untold: number }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell(error: unknown): void {
    if (!(error instanceof ParleyError) || !(error.cause instanceof RefusalReason)) return;
    const reason = error.cause.message;
    const { loggedAtMs, untold } = this.#reasons.get(reason) ?? { loggedAtMs: -Infinity, untold: 0 };
    const now = Date.now();
    if (now - loggedAtMs < logEveryMs) {
      this.#reasons.set(reason, { loggedAtMs, untold: untold + 1 });
      return;
    }
    this.#reasons.set(reason, { loggedAtMs: now, untold: 0 });
    this.#logger.info({ reason, times: untold + 1 }, "a sign-in failed");
  }
}
