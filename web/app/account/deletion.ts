import type { ApolloClient } from "@apollo/client";

import { toProblem } from "../client/errors.js";
import type { Problem } from "../client/errors.js";
import { DeleteEverythingDocument, WhoIsThereDocument } from "../client/generated/operations.js";
import type { DeleteEverythingMutation } from "../client/generated/operations.js";
import { Watched } from "../client/watched.js";
import type { SignIn } from "../sign-in/sign-in.js";

export type DeletionReceipt = DeleteEverythingMutation["deleteViewer"]["receipt"];

/** The deletion of everything. While it runs nothing else of the page does: what is asked for meanwhile may go with it. */
export class Deletion {
  /** Null while nobody wants it. */
  readonly state = new Watched<"running" | Problem | null>(null);
  readonly #client: ApolloClient;
  readonly #signIn: SignIn;

  constructor(client: ApolloClient, signIn: SignIn) {
    this.#client = client;
    this.#signIn = signIn;
  }

  /** Answers null where it did not go well, and `state` tells why. */
  async run(): Promise<DeletionReceipt | null> {
    if (this.state.get() === "running") return null;
    this.state.set("running");
    try {
      const viewerId = this.#signIn.viewerId ?? (await this.#readViewerId());
      return await this.#delete(viewerId);
    } catch (error) {
      this.state.set(toProblem(error));
      return null;
    }
  }

  dismiss(): void {
    this.state.set(null);
  }

  async #readViewerId(): Promise<string> {
    const { data } = await this.#client.query({
      query: WhoIsThereDocument,
      fetchPolicy: "no-cache",
      context: this.#context(),
    });
    if (data === undefined) throw new Error("The server answered without data.");
    return data.viewer.id;
  }

  async #delete(viewerId: string): Promise<DeletionReceipt> {
    const { data } = await this.#client.mutate({
      mutation: DeleteEverythingDocument,
      variables: { input: { viewerId } },
      fetchPolicy: "no-cache",
      context: this.#context(),
    });
    if (data == null) throw new Error("The server answered without data.");
    return data.deleteViewer.receipt;
  }

  /** A refused sign-in is told: with a key that went with the deletion there is nothing to wait for. */
  #context(): { candidate?: string } {
    const { credential } = this.#signIn;
    return credential === null ? {} : { candidate: credential };
  }
}
