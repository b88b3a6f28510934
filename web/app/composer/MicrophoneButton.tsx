import { useRef } from "react";

import { asDuration } from "../parts/format.js";
import { Icon } from "../parts/Icon.js";
import { useWatched } from "../parts/use-watched.js";
import { useFrames } from "../parts/use-frames.js";
import type { Recording } from "../audio/recording.js";
import type { Microphone } from "./use-microphone.js";

interface Props {
  microphone: Microphone;
  disabled: boolean;
}

const labels = {
  idle: "Speak: hold while you speak, or press to begin and press again to send",
  opening: "Waiting for the microphone",
  recording: "Send what you said",
} as const;

/** Hold to speak, with mouse, finger, Space or Enter. Assistive technology, which only clicks, begins and ends with a click. */
export function MicrophoneButton({ microphone, disabled }: Props) {
  const { state, press, release } = microphone;
  // A click follows each press and release, and must not count again.
  const wasPressed = useRef(false);
  const begin = () => {
    if (!disabled) press();
  };
  const down = () => {
    wasPressed.current = true;
    begin();
  };
  const isHoldingKey = (key: string) => key === " " || key === "Enter";
  return (
    <button
      type="button"
      className={`icon-button round main microphone ${state.kind}`}
      aria-label={labels[state.kind]}
      title={labels[state.kind]}
      aria-pressed={state.kind === "recording"}
      // Not `disabled`, which would take the focus away from whoever has just spoken.
      aria-disabled={disabled}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        down();
      }}
      onPointerUp={release}
      onPointerCancel={release}
      onKeyDown={(event) => {
        if (!isHoldingKey(event.key)) return;
        event.preventDefault();
        if (!event.repeat) down();
      }}
      onKeyUp={(event) => {
        if (!isHoldingKey(event.key)) return;
        event.preventDefault();
        release();
      }}
      onClick={() => {
        if (!wasPressed.current) {
          begin();
          release();
        }
        wasPressed.current = false;
      }}
      onContextMenu={(event) => event.preventDefault()}
    >
      {state.kind === "recording" && <Level recording={state.recording} />}
      <Icon name={state.kind === "recording" ? "send" : "microphone"} />
    </button>
  );
}

function Level({ recording }: { recording: Recording }) {
  const level = useWatched(recording.level);
  return (
    <span
      className="level"
      aria-hidden="true"
      style={{ transform: `scale(${1 + Math.min(1, level) * 0.9})` }}
    />
  );
}

/** How long the recording is by now. */
export function RecordingTime({ startedAt }: { startedAt: number }) {
  const now = useFrames();
  return (
    <span className="recording-time" role="timer">
      {asDuration(Math.max(0, now - startedAt) / 1000)}
    </span>
  );
}
