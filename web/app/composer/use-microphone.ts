import { useEffect, useRef, useState } from "react";

import { NoMicrophone, startRecording } from "../audio/recording.js";
import type { Recording } from "../audio/recording.js";
import { silence } from "../audio/playback.js";

/** A press that is shorter than this begins a recording that goes on until the next press, in milliseconds. */
const tapMs = 400;

export type MicrophoneState =
  | { kind: "idle" }
  /** The browser asks whether the page may use it. */
  | { kind: "opening" }
  | { kind: "recording"; recording: Recording; startedAt: number };

export interface Microphone {
  state: MicrophoneState;
  /** Why nothing can be recorded; null where it can, as far as is known. */
  problem: string | null;
  /** Whether it is held down: then letting it go sends. */
  isHeld: boolean;
  press: () => void;
  release: () => void;
  cancel: () => void;
}

/**
 * Records while it is pressed and hands over what was said on release; a short press records until the next one.
 * A recording that reaches `maxSeconds` is handed over then.
 */
export function useMicrophone(maxSeconds: number, onRecorded: (sound: Blob) => void): Microphone {
  const [state, setState] = useState<MicrophoneState>({ kind: "idle" });
  const [problem, setProblem] = useState<string | null>(null);
  const [isHeld, setHeld] = useState(false);
  const current = useRef(state);
  const pressedAt = useRef(0);
  const change = (next: MicrophoneState) => {
    current.current = next;
    setState(next);
  };

  const finish = async () => {
    const { current: now } = current;
    if (now.kind !== "recording") return;
    change({ kind: "idle" });
    const sound = await now.recording.stop();
    // By now something else may be sent or run, which only the latest knows.
    latest.current.onRecorded(sound);
  };
  const begin = async () => {
    setProblem(null);
    silence();
    change({ kind: "opening" });
    try {
      const recording = await startRecording();
      // It was left while the browser was asking.
      if (current.current.kind !== "opening") recording.cancel();
      else change({ kind: "recording", recording, startedAt: performance.now() });
    } catch (error) {
      change({ kind: "idle" });
      setProblem(error instanceof NoMicrophone ? error.message : "The recording could not begin.");
    }
  };
  const cancel = () => {
    if (current.current.kind === "recording") current.current.recording.cancel();
    change({ kind: "idle" });
  };

  const latest = useRef({ finish, cancel, onRecorded });
  useEffect(() => {
    latest.current = { finish, cancel, onRecorded };
  });
  useEffect(() => () => latest.current.cancel(), []);
  useEffect(() => {
    if (state.kind !== "recording") return;
    const timer = setTimeout(() => void latest.current.finish(), maxSeconds * 1000);
    return () => clearTimeout(timer);
  }, [state, maxSeconds]);

  return {
    state,
    problem,
    isHeld,
    press: () => {
      setHeld(true);
      pressedAt.current = performance.now();
      if (state.kind === "idle") void begin();
      else if (state.kind === "recording") void finish();
    },
    release: () => {
      setHeld(false);
      const { current: now } = current;
      if (now.kind !== "recording" || performance.now() - pressedAt.current < tapMs) return;
      void finish();
    },
    cancel,
  };
}
