import { useLayoutEffect, useRef } from "react";
import type { FocusEvent, RefObject } from "react";

interface KeptFocus<E extends HTMLElement> {
  ref: RefObject<E | null>;
  onFocus: () => void;
  onBlur: (event: FocusEvent<E>) => void;
}

/**
 * Keeps the focus where somebody works: where the element that had it goes away or is disabled, `next` of the container
 * gets it, rather than nobody. Give what is answered to the container.
 */
export function useKeptFocus<E extends HTMLElement>(
  next: (container: E, lost: Element | null) => HTMLElement | null | undefined,
): KeptFocus<E> {
  const ref = useRef<E>(null);
  const last = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const { current: container } = ref;
    const { current: lost } = last;
    if (container === null || lost === null) return;
    if (container.contains(lost) && !lost.matches(":disabled")) return;
    last.current = null;
    next(container, lost)?.focus();
  });
  return {
    ref,
    onFocus: () => {
      last.current = document.activeElement;
    },
    // React tells nothing of a blur that comes from its own changes, so this one is somebody's.
    onBlur: ({ currentTarget, relatedTarget }) => {
      if (!currentTarget.contains(relatedTarget)) last.current = null;
    },
  };
}
