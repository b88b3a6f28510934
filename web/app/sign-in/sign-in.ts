import { Watched } from "../client/watched.js";

/**
 * `unasked`: the server lets everybody in, as far as is known. `asked`: it wants to know who is there, and nobody has
 * signed in yet. `asked-again`: what somebody signed in with is good no more.
 */
export type SignInState = "unasked" | "asked" | "signed-in" | "asked-again";

export interface SignedIn {
  /** A token or key, as it goes into the header. */
  credential: string;
  /** Who that is, for the server; opaque. */
  viewerId: string;
}

/** Who uses the page. The credential is in this object and nowhere else: it is gone with the tab. */
export class SignIn {
  readonly state: Watched<SignInState>;
  #signedIn: SignedIn | null;

  constructor(signedIn: SignedIn | null) {
    this.#signedIn = signedIn;
    this.state = new Watched<SignInState>(signedIn === null ? "unasked" : "signed-in");
  }

  get credential(): string | null {
    return this.#signedIn?.credential ?? null;
  }

  /** Null before anybody has signed in. */
  get viewerId(): string | null {
    return this.#signedIn?.viewerId ?? null;
  }

  take(signedIn: SignedIn): void {
    this.#signedIn = signedIn;
    this.state.set("signed-in");
  }

  /** The server did not take this credential. One that was replaced meanwhile says nothing of the new one. */
  refuse(credential: string | null): void {
    if (credential !== this.credential) return;
    this.state.set(credential === null ? "asked" : "asked-again");
  }

  /** Resolves as soon as nobody is asked to sign in. */
  settled(): Promise<void> {
    if (!this.#isAsked()) return Promise.resolve();
    return new Promise((resolve) => {
      const stop = this.state.watch(() => {
        if (this.#isAsked()) return;
        stop();
        resolve();
      });
    });
  }

  #isAsked(): boolean {
    const state = this.state.get();
    return state === "asked" || state === "asked-again";
  }
}

/** The header of a request; the payload of `connection_init` has the same form. Empty without a credential. */
export function authorizationOf(credential: string | null): Record<string, string> {
  return credential === null ? {} : { authorization: `Bearer ${credential}` };
}
