import { createClient } from "graphql-ws";
import type { SubscribePayload } from "graphql-ws";

/** Subscribes over one WebSocket, which is opened when it is needed; `onEvent` hears of every event. */
export function createListener(
  url: string,
  onEvent: (result: unknown) => void,
): (payload: SubscribePayload) => AsyncIterableIterator<unknown> {
  const client = createClient({ url });
  return (payload) => {
    const results = client.iterate(payload);
    // GraphiQL stops by `return`, which an async generator would put off until the next event.
    return {
      async next() {
        const result = await results.next();
        if (result.done !== true) onEvent(result.value);
        return result;
      },
      async return() {
        await results.return?.();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };
}
