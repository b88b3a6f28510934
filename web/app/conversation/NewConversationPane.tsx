import { useState } from "react";

import { Composer } from "../composer/Composer.js";
import { Unsent } from "../composer/Unsent.js";
import { usePageTitle } from "../parts/use-page-title.js";
import { BackButton } from "./BackButton.js";
import { SettingsFields } from "./SettingsFields.js";

/** A conversation that begins with its first message. */
export function NewConversationPane() {
  usePageTitle(null);
  const [voice, setVoice] = useState<string | null>(null);
  const [instructions, setInstructions] = useState("");
  return (
    <div className="pane">
      <header className="pane-header">
        <BackButton />
        <h1>New conversation</h1>
      </header>
      <div className="turns">
        <div className="beginning">
          <p>
            Ask something, with your voice or in writing. The answer is spoken while it is made, and kept.
          </p>
          <details>
            <summary>Voice and instructions</summary>
            <SettingsFields
              voice={voice}
              instructions={instructions}
              onVoice={setVoice}
              onInstructions={setInstructions}
            />
          </details>
        </div>
        <Unsent conversationId={null} />
      </div>
      <Composer
        conversationId={null}
        beginning={{ voice, instructions }}
        running={false}
        onStop={() => undefined}
      />
    </div>
  );
}
