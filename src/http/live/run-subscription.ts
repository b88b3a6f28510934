import { createSourceEventStream, execute, GraphQLError } from "graphql";
import type { ExecutionArgs, ExecutionResult } from "graphql";

/** The results of a subscription's events. `return` ends the source at once, also while an event is awaited. */
export type EventResults = AsyncIterableIterator<ExecutionResult>;

/**
 * Opens a subscription. What its resolver refuses comes as a result with errors, before any event. Each event is
 * executed with a context of its own: rows that were read for an earlier one are out of date.
 */
export async function runSubscription(
  args: ExecutionArgs,
  createContext: () => object,
): Promise<EventResults | ExecutionResult> {
  try {
    const source = await createSourceEventStream({ ...args, contextValue: createContext() });
    if (!(Symbol.asyncIterator in source)) return source;
    return mapEvents(source, (event) =>
      execute({ ...args, rootValue: event, contextValue: createContext() }),
    );
  } catch (error) {
    // A resolver that answered no stream of events.
    const originalError = error instanceof Error ? error : new Error(String(error));
    return { errors: [new GraphQLError(originalError.message, { originalError })] };
  }
}

// An async generator would not do: its `return` waits until the event that it awaits has come.
function mapEvents<Event, Result>(
  source: AsyncIterable<Event>,
  map: (event: Event) => Result | Promise<Result>,
): AsyncIterableIterator<Result> {
  const events = source[Symbol.asyncIterator]();
  let ended = false;
  const end = async (): Promise<{ done: true; value: undefined }> => {
    if (!ended) {
      ended = true;
      await events.return?.();
    }
    return { done: true, value: undefined };
  };
  return {
    async next() {
      if (ended) return end();
      try {
        const event = await events.next();
        if (event.done === true) return await end();
        const value = await map(event.value);
        return { done: false, value };
      } catch (error) {
        await end();
        throw error;
      }
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
