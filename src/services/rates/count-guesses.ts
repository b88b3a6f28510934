import type { Authenticator } from "../../auth/sign-in.js";
import { ParleyError } from "../../errors.js";
import type { RateLimits } from "./rate-limits.js";

/** The same authenticator for what comes from the address: who tries too many tokens or keys that are not good is refused. */
export function countGuesses(
  authenticator: Authenticator,
  rates: RateLimits,
  address: string,
): Authenticator {
  return {
    required: authenticator.required,
    signIn: async (credential) => {
      // To come without any is no guess.
      if (credential === null) return authenticator.signIn(null);
      rates.refuseGuessing(address);
      try {
        return await authenticator.signIn(credential);
      } catch (error) {
        if (isGuess(error)) await rates.countFailedSignIn(address);
        throw error;
      }
    },
  };
}

/** What could not be looked at says nothing of whoever sent it. */
function isGuess(error: unknown): boolean {
  return error instanceof ParleyError && error.code === "UNAUTHENTICATED" && !error.retryable;
}
