import { useEffect, useRef } from "react";
import type { RefObject } from "react";

/** So near to the end counts as there, in pixels. */
const nearPx = 60;

/**
 * Keeps a scrolled element at its end while its content grows. Where somebody has scrolled away, what is seen stays where it
 * is, also when something is put in front. Answers what to give to the content.
 */
export function useKeepAtEnd(scroller: RefObject<HTMLDivElement | null>): RefObject<HTMLDivElement | null> {
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { current: element } = scroller;
    const { current: inner } = content;
    if (element === null || inner === null) return;
    let isAtEnd = true;
    let seen: HTMLElement | undefined;
    let seenAt = 0;
    const note = () => {
      isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < nearPx;
      seen = [...inner.querySelectorAll<HTMLElement>(":scope > .turn")].find(
        ({ offsetTop, offsetHeight }) => offsetTop + offsetHeight > element.scrollTop,
      );
      seenAt = seen?.offsetTop ?? 0;
    };
    const observer = new ResizeObserver(() => {
      if (isAtEnd) element.scrollTop = element.scrollHeight;
      else if (seen?.isConnected === true) element.scrollTop += seen.offsetTop - seenAt;
      note();
    });
    observer.observe(inner);
    observer.observe(element);
    element.addEventListener("scroll", note, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", note);
    };
  }, [scroller]);
  return content;
}
