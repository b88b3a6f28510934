import { useEffect, useRef, useState } from "react";

import type { TurnFieldsFragment } from "../client/generated/operations.js";

interface Props {
  turn: TurnFieldsFragment | null;
  isBegun: boolean;
}

/** Tells a screen reader when an answer begins and what it was when it is whole, rather than each of its words. */
export function Announcements({ turn, isBegun }: Props) {
  const [text, setText] = useState("");
  // What was sent here just now may be answered before this is shown.
  const before = useRef(turn === null || isBegun ? null : stateOf(turn));
  useEffect(() => {
    if (turn === null || stateOf(turn) === before.current) return;
    before.current = stateOf(turn);
    setText(announcementOf(turn));
  }, [turn]);
  return (
    <p className="visually-hidden" role="status">
      {text}
    </p>
  );
}

function stateOf({ id, status }: TurnFieldsFragment): string {
  return `${id} ${status === "QUEUED" ? "RUNNING" : status}`;
}

function announcementOf({ status, assistantMessage, error }: TurnFieldsFragment): string {
  switch (status) {
    case "QUEUED":
    case "RUNNING":
      return "Parley is answering.";
    case "COMPLETED":
      return `Parley: ${assistantMessage?.content ?? "the answer is there."}`;
    case "CANCELLED":
      return "The answer was stopped.";
    case "FAILED":
      return `The turn failed. ${error?.message ?? ""}`;
  }
}
