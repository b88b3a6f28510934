import { useEffect, useRef } from "react";
import type { RefObject } from "react";

/** So near to the end counts as there, in pixels. */
const nearPx = 60;

/**
 * Keeps a scrolled element at its end while its content grows. Where somebody has scrolled away it stays where it is, also
 * when something is put in front.
 */
export function useKeepAtEnd(): {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
} {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || content.current === null) return;
    let fromEnd = 0;
    const note = () => {
      fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    };
    const observer = new ResizeObserver(() => {
      const kept = fromEnd < nearPx ? 0 : fromEnd;
      // Content in front of what is seen pushes it down; keeping the distance from the end holds it still.
      if (fromEnd < nearPx || element.scrollTop < nearPx)
        element.scrollTop = element.scrollHeight - element.clientHeight - kept;
      note();
    });
    observer.observe(content.current);
    observer.observe(element);
    element.addEventListener("scroll", note, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", note);
    };
  }, []);
  return { scroller, content };
}
