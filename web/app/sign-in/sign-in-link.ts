import { ApolloLink } from "@apollo/client";
import type { DefaultContext } from "@apollo/client";
import { defer, from, mergeMap, of, retry } from "rxjs";

import { isRefusal, toProblem } from "../client/errors.js";
import { authorizationOf } from "./sign-in.js";
import type { SignIn } from "./sign-in.js";

/** What an operation can have in its context. */
interface Context extends DefaultContext {
  headers?: Record<string, string>;
  /** A credential that is only tried: the operation is sent with it, and fails where it is refused. */
  candidate?: string;
}

/**
 * Sends each operation as whoever has signed in. One that the server refuses for want of a good sign-in has done nothing:
 * it waits until somebody has signed in and is sent again, so that the page goes on where it was.
 */
export function createSignInLink(signIn: SignIn): ApolloLink {
  return new ApolloLink((operation, forward) => {
    const sendAs = (credential: string | null) => {
      operation.setContext(({ headers }: Context) => ({
        headers: { ...headers, ...authorizationOf(credential) },
      }));
      return forward(operation);
    };
    const { candidate }: Context = operation.getContext();
    if (candidate !== undefined) return sendAs(candidate);
    let used: string | null = null;
    const sending = defer(() =>
      from(signIn.settled()).pipe(mergeMap(() => sendAs((used = signIn.credential)))),
    );
    const askAndSendAgain = (error: unknown) => {
      if (!isRefusal(toProblem(error))) throw error;
      signIn.refuse(used);
      return of(null);
    };
    return sending.pipe(retry({ delay: askAndSendAgain }));
  });
}
