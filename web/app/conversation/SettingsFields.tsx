import { useId } from "react";

import { useSetting } from "../use-setting.js";

const maxInstructionsLength = 32_000;

interface Props {
  /** Null: the server's default. */
  voice: string | null;
  instructions: string;
  onVoice: (voice: string | null) => void;
  onInstructions: (instructions: string) => void;
}

export function SettingsFields({ voice, instructions, onVoice, onInstructions }: Props) {
  const id = useId();
  const { voices } = useSetting();
  return (
    <>
      <label htmlFor={`${id}-voice`}>Voice</label>
      <select
        id={`${id}-voice`}
        value={voice ?? ""}
        onChange={(event) => onVoice(event.currentTarget.value || null)}
      >
        {voice === null && <option value="">The server&rsquo;s default</option>}
        {voices.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <label htmlFor={`${id}-instructions`}>Instructions</label>
      <textarea
        id={`${id}-instructions`}
        rows={4}
        value={instructions}
        maxLength={maxInstructionsLength}
        placeholder="How to answer: “Be brief. Speak like a friendly vet.”"
        onChange={(event) => onInstructions(event.currentTarget.value)}
      />
    </>
  );
}
