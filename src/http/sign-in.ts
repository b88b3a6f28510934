import type { FastifyInstance, FastifyRequest } from "fastify";
import { bearerOf, unauthenticated } from "../auth/sign-in.js";
import type { Authenticator, SignIn } from "../auth/sign-in.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who sends the request; null where nobody has to be known for it. */
    signIn: SignIn | null;
  }
}

/** Lets nobody whom it does not know send a request to the routes of this scope, and reads no body of theirs. */
export function requireSignIn(
  scope: FastifyInstance,
  authenticatorFor: (request: FastifyRequest) => Authenticator,
): void {
  scope.decorateRequest("signIn", null);
  scope.addHook("onRequest", async (request) => {
    if (!asksForPage(request)) request.signIn = await signIn(request, authenticatorFor(request));
  });
}

/** @throws ParleyError UNAUTHENTICATED */
export async function signIn({ headers }: FastifyRequest, authenticator: Authenticator): Promise<SignIn> {
  return authenticator.signIn(authenticator.required ? bearerOf(headers.authorization) : null);
}

/** @throws ParleyError UNAUTHENTICATED */
export function signedIn({ signIn: known }: FastifyRequest): SignIn {
  if (known === null) throw unauthenticated("Sign in first.");
  return known;
}

/** A browser that opens the address gets the explorer, in which people then sign in. */
function asksForPage({ method, headers }: FastifyRequest): boolean {
  return (
    method === "GET" && headers.authorization === undefined && headers.accept?.includes("text/html") === true
  );
}
