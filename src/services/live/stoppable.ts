/**
 * An iterator that can be stopped while it waits: `return` first aborts the signal and then ends the generator, which
 * by itself would only hear of it after its wait. `release` is called once, however the iterator ends, also where it
 * was never asked for anything.
 */
export function stoppable<Item>(
  run: (signal: AbortSignal) => AsyncGenerator<Item, void, undefined>,
  release: () => void,
): AsyncIterableIterator<Item, void, undefined> {
  const controller = new AbortController();
  const inner = run(controller.signal);
  let released = false;
  const end = () => {
    if (released) return;
    released = true;
    controller.abort();
    release();
  };
  return {
    next: async () => {
      try {
        const result = await inner.next();
        if (result.done === true) end();
        return result;
      } catch (error) {
        end();
        throw error;
      }
    },
    return: async () => {
      end();
      return inner.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
