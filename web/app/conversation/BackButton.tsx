import { IconButton } from "../parts/IconButton.js";
import { go } from "../place.js";

/** On a narrow screen, where the list and the conversation take turns. */
export function BackButton() {
  return (
    <IconButton
      icon="back"
      label="All conversations"
      className="narrow-only"
      onClick={() => go({ kind: "list" })}
    />
  );
}
