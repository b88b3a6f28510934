import { z } from "zod";
import { bearerOf } from "../../auth/sign-in.js";
import type { Authenticator, SignIn } from "../../auth/sign-in.js";

const named = z.record(z.string(), z.unknown());

/**
 * Signs in a socket by the payload of `connection_init`: `{ "authorization": "Bearer …" }`, in any case, at the top or
 * within `headers` (as explorers send it); where it holds none, by the header of the request that opened the socket, which
 * browsers can't set.
 * @throws ParleyError UNAUTHENTICATED
 */
export function signInOf(
  authenticator: Authenticator,
  parameters: Record<string, unknown> | undefined,
  header: string | undefined,
): Promise<SignIn> {
  if (!authenticator.required) return authenticator.signIn(null);
  const told =
    authorizationIn(parameters ?? {}) ?? authorizationIn(named.safeParse(parameters?.["headers"]).data ?? {});
  return authenticator.signIn(bearerOf(told ?? header));
}

function authorizationIn(parameters: Record<string, unknown>): string | null {
  const found = Object.entries(parameters).find(([name]) => name.toLowerCase() === "authorization")?.[1];
  return typeof found === "string" ? found : null;
}
