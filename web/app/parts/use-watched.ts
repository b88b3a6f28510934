import { useSyncExternalStore } from "react";

import type { Watched } from "../client/watched.js";

/** The value of something that changes by itself; the component is drawn again with each change. */
export function useWatched<T>(watched: Pick<Watched<T>, "get" | "watch">): T {
  return useSyncExternalStore(watched.watch, watched.get);
}
