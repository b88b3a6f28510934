import { useId, useLayoutEffect, useRef } from "react";
import type { ReactNode } from "react";
import { createPortal } from "react-dom";

interface Props {
  title: string;
  /** Without it the dialog stays until it is taken away. */
  onClose?: () => void;
  /** There is something to be read before anything is done, so the focus begins there. */
  startsAtTitle?: boolean;
  children: ReactNode;
}

/**
 * The browser's own modal dialog: it keeps the focus, closes with Escape and gives the focus back. It is no part of what it
 * was opened from, which a narrow screen may hide meanwhile: an open dialog that nobody sees would lock the page.
 */
export function Dialog({ title, onClose, startsAtTitle = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const titleId = useId();
  // In a layout effect it is closed while it is still in the page: only then does the browser give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    if (startsAtTitle) heading.current?.focus();
    return () => element?.close();
  }, [startsAtTitle]);
  return createPortal(
    <dialog
      ref={dialog}
      aria-labelledby={titleId}
      onClose={() => {
        // The event comes late: by then StrictMode has opened it again.
        if (dialog.current?.open !== false) return;
        if (onClose === undefined) dialog.current.showModal();
        else onClose();
      }}
    >
      <h2 ref={heading} id={titleId} tabIndex={startsAtTitle ? -1 : undefined}>
        {title}
      </h2>
      {children}
    </dialog>,
    document.body,
  );
}
