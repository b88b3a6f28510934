import type { AppContext } from "../app-context.js";
import type { SignIn } from "../auth/sign-in.js";
import type { Viewer } from "../auth/viewer.js";
import { Admission } from "../services/rates/admission.js";
import type { CameFrom } from "../services/rates/admission.js";
import type { Loaders } from "../services/reading/loaders.js";
import type { ViewerReading } from "../services/reading/viewer-reading.js";

/** What a GraphQL request carries: who asks, from where, and the rows that were read for it so far. */
export interface RequestContext {
  readonly app: AppContext;
  readonly viewer: Viewer;
  /**
   * Whether who asks may still do so, for what takes long.
   * @throws ParleyError UNAUTHENTICATED
   */
  readonly recheck: SignIn["recheck"];
  /** Where audio URLs begin: PUBLIC_URL, else the request's own origin. */
  readonly origin: string;
  readonly reading: ViewerReading;
  readonly loaders: Loaders;
  /** Counts what the operation asks for, before it is done. */
  readonly admission: Admission;
}

export function createRequestContext(
  app: AppContext,
  { viewer, recheck }: Pick<SignIn, "viewer" | "recheck">,
  origin: string,
  from: CameFrom,
): RequestContext {
  const reading = app.readingFor(viewer);
  return {
    app,
    viewer,
    recheck,
    origin,
    reading,
    admission: new Admission(app.rates, viewer, from),
    get loaders() {
      return reading.loaders;
    },
  };
}
