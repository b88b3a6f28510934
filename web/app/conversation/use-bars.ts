import { useEffect, useRef, useState } from "react";
import type { RefObject } from "react";

import type { ClipFieldsFragment } from "../client/generated/operations.js";
import { useServices } from "../services.js";

export const barCount = 64;

/** Longer clips are not drawn: a waveform costs the reading of the whole file. In milliseconds. */
const longestDrawnMs = 15 * 60_000;
const flat: readonly number[] = Array.from({ length: barCount }, () => 0);

/** The waveform of a clip, read when `element` comes into view; flat until then, and where it can't be drawn. */
export function useBars(clip: ClipFieldsFragment): {
  bars: readonly number[];
  element: RefObject<HTMLDivElement | null>;
} {
  const { clips } = useServices();
  const element = useRef<HTMLDivElement>(null);
  const [bars, setBars] = useState(flat);
  const source = useRef(clip);
  useEffect(() => {
    const { current } = source;
    if (element.current === null || (current.durationMs ?? 0) > longestDrawnMs) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        // Some browsers can't decode some formats; the clip can be heard elsewhere all the same.
        clips.bars(current, barCount).then(setBars, () => undefined);
      },
      { rootMargin: "200px" },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [clips]);
  return { bars, element };
}
