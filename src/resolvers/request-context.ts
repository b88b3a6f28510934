import type { AppContext } from "../app-context.js";
import type { Viewer } from "../auth/viewer.js";
import type { Loaders } from "../services/reading/loaders.js";
import type { ViewerReading } from "../services/reading/viewer-reading.js";

/** What a GraphQL request carries: who asks, from where, and the rows that were read for it so far. */
export interface RequestContext {
  readonly app: AppContext;
  readonly viewer: Viewer;
  /** Where audio URLs begin: PUBLIC_URL, else the request's own origin. */
  readonly origin: string;
  readonly reading: ViewerReading;
  readonly loaders: Loaders;
}

export function createRequestContext(app: AppContext, viewer: Viewer, origin: string): RequestContext {
  const reading = app.readingFor(viewer);
  return {
    app,
    viewer,
    origin,
    reading,
    get loaders() {
      return reading.loaders;
    },
  };
}
