import type { DeletionReceipt } from "./account/deletion.js";
import { Watched } from "./client/watched.js";
import { go } from "./place.js";
import { forget, Remembered } from "./remembered.js";
import { createServices } from "./services.js";
import type { Services } from "./services.js";
import type { SignedIn } from "./sign-in/sign-in.js";

interface Session {
  /** Counts the people of this tab, so that what is drawn for one is not taken for the next one's. */
  number: number;
  services: Services;
  /** Of the deletion of everything, which this session begins after; null where there was none, or it was read. */
  receipt: DeletionReceipt | null;
}

/** The services of whoever uses the page now. What one person has read, written or heard, no other one finds. */
export class Sessions {
  readonly current: Watched<Session>;
  readonly #origin: string;
  /** Whose drafts the tab remembers: a reload keeps them, and forgets who had signed in. */
  readonly #owner = new Remembered("tab", "viewer");

  constructor(origin: string) {
    this.#origin = origin;
    this.current = new Watched({ number: 0, services: createServices(origin, null), receipt: null });
  }

  /** The person who was asked again goes on where they were; anybody else begins anew. */
  signIn(signedIn: SignedIn): void {
    const { signIn } = this.current.get().services;
    const owner = signIn.viewerId ?? this.#owner.read() ?? signedIn.viewerId;
    if (owner === signedIn.viewerId) signIn.take(signedIn);
    else this.#beginAnew(signedIn);
    this.#owner.write(signedIn.viewerId);
  }

  signOut(): void {
    this.#beginAnew(null);
    this.current.get().services.signIn.refuse(null);
  }

  /** What went with it is gone from this browser, too, and whoever had signed in is signed out. */
  async deleteEverything(): Promise<void> {
    const { services } = this.current.get();
    const receipt = await services.deletion.run();
    if (receipt === null) return;
    forget("browser");
    this.#beginAnew(null, receipt);
    if (services.signIn.credential !== null) this.current.get().services.signIn.refuse(null);
  }

  putReceiptAway(): void {
    this.current.set({ ...this.current.get(), receipt: null });
  }

  #beginAnew(signedIn: SignedIn | null, receipt: DeletionReceipt | null = null): void {
    const { number, services } = this.current.get();
    services.end();
    forget("tab");
    go({ kind: "list" });
    this.current.set({ number: number + 1, services: createServices(this.#origin, signedIn), receipt });
  }
}
