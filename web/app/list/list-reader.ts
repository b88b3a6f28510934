import type { ObservableQuery } from "@apollo/client";

import type {
  ConversationListQuery,
  ConversationListQueryVariables,
} from "../client/generated/operations.js";

/** How many conversations are read at once; the server gives 100 at most. */
export const pageSize = 30;
const maxPageSize = 100;

type List = ObservableQuery<ConversationListQuery, ConversationListQueryVariables>;

/**
 * Reads the list, one reading after the other: answers may overtake each other, and the older one would undo the newer.
 * Nor may a reading be joined to one that is under way, which may have been made before what it is read for.
 */
export class ListReader {
  readonly #list: List;
  #last: Promise<unknown> = Promise.resolve();
  #isWaiting = false;

  constructor(list: List) {
    this.#list = list;
  }

  /**
   * Reads again what is shown. What is told while a reading is under way may be missing in its answer, so another one follows;
   * one is enough, however much is told until it begins. Without a connection the list stays as it is.
   */
  again(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#next(async () => {
      this.#isWaiting = false;
      const shown = this.#list.getCurrentResult().data?.conversations?.edges?.length ?? 0;
      await this.#list.refetch({ first: Math.min(maxPageSize, Math.max(pageSize, shown)) });
    }).catch(() => undefined);
  }

  /** Reads what comes behind it. */
  more(): Promise<void> {
    return this.#next(async () => {
      const after = this.#list.getCurrentResult().data?.conversations?.pageInfo?.endCursor ?? null;
      await this.#list.fetchMore({ variables: { after } });
    });
  }

  #next(read: () => Promise<void>): Promise<void> {
    const reading = this.#last.then(async () => {
      // Nobody looks at it any more.
      if (!this.#list.hasObservers()) return;
      await settled(this.#list);
      await read();
    });
    this.#last = reading.catch(() => undefined);
    return reading;
  }
}

/** The first reading of each search is the query's own, and is waited for, too. */
async function settled(list: List): Promise<void> {
  let stop: () => void = () => undefined;
  await new Promise<void>((resolve) => {
    const next = ({ loading }: { loading: boolean }) => {
      if (!loading) resolve();
    };
    const watching = list.subscribe({ next, complete: resolve });
    stop = () => watching.unsubscribe();
  });
  stop();
}
