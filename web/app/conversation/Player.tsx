import type { ClipSource } from "../audio/clip-address.js";
import type { Playback } from "../audio/playback.js";
import { asDuration, spokenDuration } from "../parts/format.js";
import { IconButton } from "../parts/IconButton.js";
import { useWatched } from "../parts/use-watched.js";
import { Waveform } from "../parts/Waveform.js";
import { DownloadLink } from "./DownloadLink.js";

interface Props {
  playback: Playback;
  bars: readonly number[];
  /** How long it is, in seconds. */
  seconds: number;
  /** Whose voice it is, for a screen reader. */
  label: string;
  /** What can be downloaded; null while it grows. */
  file: ClipSource | null;
}

/** A play button, the waveform with the place that is heard, and a slider over it for mouse, finger and keyboard. */
export function Player({ playback, bars, seconds, label, file }: Props) {
  const state = useWatched(playback.state);
  const at = Math.min(state.seconds, seconds);
  return (
    <div className="player" role="group" aria-label={label}>
      <IconButton
        icon={state.playing ? "pause" : "play"}
        label={state.playing ? "Pause" : "Play"}
        className="round"
        onClick={() => (state.playing ? playback.pause() : void playback.play())}
      />
      <div className="track">
        <Waveform bars={bars} played={seconds === 0 ? 0 : at / seconds} />
        <input
          type="range"
          min={0}
          max={Math.max(seconds, 0.1)}
          step={0.1}
          value={at}
          aria-label="Place in the sound"
          aria-valuetext={`${spokenDuration(at)} of ${spokenDuration(seconds)}`}
          onChange={(event) => playback.seek(event.currentTarget.valueAsNumber)}
        />
      </div>
      <span className="time" aria-hidden="true">
        {state.playing || at > 0 ? `${asDuration(at)} / ${asDuration(seconds)}` : asDuration(seconds)}
      </span>
      {file !== null && <DownloadLink clip={file} />}
      {state.problem !== null && <p className="problem">{state.problem}</p>}
    </div>
  );
}
