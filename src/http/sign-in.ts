import { HeaderMap } from "@apollo/server";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { GraphQLError } from "graphql";
import { bearerOf, unauthenticated } from "../auth/sign-in.js";
import type { Authenticator, SignIn } from "../auth/sign-in.js";
import { ParleyError } from "../errors.js";
import { challenge, statusOf } from "./http-errors.js";

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
    const authenticator = authenticatorFor(request);
    if (!authenticator.required || !mayAskForPage(request))
      request.signIn = await signIn(request, authenticator);
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

/**
 * For an operation: whoever was let in because they may have asked for the page must sign in after all.
 * @throws GraphQLError UNAUTHENTICATED, which Apollo answers with 401
 */
export async function signInToOperation(
  request: FastifyRequest,
  authenticator: Authenticator,
): Promise<SignIn> {
  try {
    return request.signIn ?? (await signIn(request, authenticator));
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    const http = { status: statusOf(error), headers: new HeaderMap(Object.entries(challenge)) };
    throw new GraphQLError(error.message, { originalError: error, extensions: { http } });
  }
}

/**
 * A browser that opens the address gets the explorer, in which people then sign in. Apollo Server decides by all of
 * `Accept` whether it answers with the page or runs an operation.
 */
function mayAskForPage({ method, headers }: FastifyRequest): boolean {
  return (
    method === "GET" && headers.authorization === undefined && headers.accept?.includes("text/html") === true
  );
}
