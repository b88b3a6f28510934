import type { AppContext } from "../app-context.js";
import type { Viewer } from "../auth/viewer.js";
import { Admission } from "../services/rates/admission.js";
import type { CameFrom } from "../services/rates/admission.js";
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
  /** Counts what the operation asks for, before it is done. */
  readonly admission: Admission;
}

export function createRequestContext(
  app: AppContext,
  viewer: Viewer,
  origin: string,
  from: CameFrom,
): RequestContext {
  const reading = app.readingFor(viewer);
  return {
    app,
    viewer,
    origin,
    reading,
    admission: new Admission(app.rates, viewer, from),
    get loaders() {
      return reading.loaders;
    },
  };
}
