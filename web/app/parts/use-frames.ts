import { useEffect, useState } from "react";

import { eachFrame } from "../audio/playback.js";

/** The time of `performance.now()`, new at each frame of the screen. */
export function useFrames(): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => eachFrame(() => setNow(performance.now())), []);
  return now;
}
