import { useState } from "react";

import type { Modality } from "../client/generated/operations.js";
import { Remembered } from "../remembered.js";

export type ReplyKind = "spoken" | "written";

const memory = new Remembered("browser", "reply");

/** Whether answers come as sound and words, or as words alone; remembered for the next visit. */
export function useReplyKind(): [ReplyKind, (kind: ReplyKind) => void] {
  const [kind, setKind] = useState<ReplyKind>(() => (memory.read() === "written" ? "written" : "spoken"));
  return [
    kind,
    (next) => {
      memory.write(next);
      setKind(next);
    },
  ];
}

export function modalitiesOf(kind: ReplyKind): Modality[] {
  return kind === "spoken" ? ["TEXT", "AUDIO"] : ["TEXT"];
}
