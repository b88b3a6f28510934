import { useLayoutEffect, useRef } from "react";

import { ConversationPane } from "./conversation/ConversationPane.js";
import { NewConversationPane } from "./conversation/NewConversationPane.js";
import { ConversationList } from "./list/ConversationList.js";
import { useWatched } from "./parts/use-watched.js";
import { place } from "./place.js";
import type { Place } from "./place-hash.js";
import { useServices } from "./services.js";

/** The list beside a conversation; on a narrow screen one of both. */
export function App() {
  const here = useWatched<Place>(place);
  const arrival = useFocusOnArrival(here);
  return (
    <main ref={arrival} className={`page at-${here.kind}`}>
      <SkipLink />
      <Trouble />
      <ConversationList place={here} />
      <section aria-label="Conversation" tabIndex={-1}>
        {here.kind === "conversation" ? (
          <ConversationPane key={here.id} id={here.id} isBegun={here.begun === true} />
        ) : (
          <NewConversationPane />
        )}
      </section>
    </main>
  );
}

/** For the keyboard: past the list, which may be long. */
function SkipLink() {
  return (
    <button type="button" className="skip-link" onClick={focusMessage}>
      Skip to the message
    </button>
  );
}

function focusMessage(): void {
  document.querySelector<HTMLElement>(".composer textarea")?.focus();
}

/** Whoever begins something new writes or speaks next; on a phone the focus would open the keyboard over the page. */
const opensNoKeyboard = () => matchMedia("(pointer: fine)").matches;

/** Where the element that had the focus is gone with what was left, the focus goes to what is shown instead. */
function useFocusOnArrival(here: Place) {
  const page = useRef<HTMLElement>(null);
  const first = useRef(here);
  useLayoutEffect(() => {
    if (here.kind === "new" && opensNoKeyboard()) return focusMessage();
    const { activeElement } = document;
    if (here === first.current || (activeElement !== document.body && isShown(activeElement))) return;
    const areas = page.current?.querySelectorAll<HTMLElement>(":scope > section, :scope > nav") ?? [];
    // On a narrow screen only one of them is shown.
    [...areas].reverse().find(isShown)?.focus({ preventScroll: true });
  }, [here]);
  return page;
}

function isShown(element: Element | null): boolean {
  return (element?.getClientRects().length ?? 0) > 0;
}

/** Why nothing new comes in, and what can be done about it. */
const troubles = {
  unreachable: "The server can’t be reached. Connecting again…",
  crowded:
    "Too many connections of yours are open, so nothing new comes in here. Close other windows of this page, or programs that use this server; this one then connects by itself.",
} as const;

function Trouble() {
  const { connection } = useServices();
  const state = useWatched(connection.state);
  return (
    <div role="status" className="trouble-place">
      {state !== "well" && <p className="trouble">{troubles[state]}</p>}
    </div>
  );
}
