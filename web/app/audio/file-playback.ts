import { Watched } from "../client/watched.js";
import { eachFrame, takeStage } from "./playback.js";
import type { Playback, PlaybackState } from "./playback.js";

/** Plays a clip by its address. Nothing is loaded before it is played. */
export class FilePlayback implements Playback {
  readonly state: Watched<PlaybackState>;
  readonly #address: (anew: boolean) => Promise<string>;
  #audio: HTMLAudioElement | null = null;
  #isOpening = false;
  #stopFollowing: (() => void) | null = null;

  /** `address`: where it is, `anew` where the one before may have ended since. `seconds`: where to begin. */
  constructor(address: (anew: boolean) => Promise<string>, seconds = 0) {
    this.#address = address;
    this.state = new Watched<PlaybackState>({ playing: false, seconds, ended: false, problem: null });
  }

  async play(): Promise<void> {
    takeStage(this);
    this.#isOpening = true;
    try {
      this.#audio ??= this.#listenTo(new Audio(await this.#address(false)));
      const audio = this.#audio;
      await audio.play().catch((error: unknown) => this.#playAnew(audio, error));
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      // A browser lets no page speak before somebody has touched it; the play button is still there.
      const isShy = error instanceof DOMException && error.name === "NotAllowedError";
      this.#set({ playing: false, problem: isShy ? null : "This browser can't play this sound." });
    } finally {
      this.#isOpening = false;
    }
  }

  /** A signed address ends after a while, also in the middle of playing; what is wrong otherwise is wrong again. */
  async #playAnew(audio: HTMLAudioElement, error: unknown): Promise<void> {
    if (!(error instanceof DOMException && error.name === "NotSupportedError")) throw error;
    const { seconds } = this.state.get();
    audio.src = await this.#address(true);
    audio.currentTime = seconds;
    await audio.play();
  }

  pause(): void {
    this.#audio?.pause();
  }

  /** Ends it and lets go of what was loaded; it can be played again. */
  release(): void {
    const { src } = this.#audio ?? {};
    this.pause();
    this.#audio = null;
    if (src?.startsWith("blob:") === true) URL.revokeObjectURL(src);
  }

  seek(seconds: number): void {
    if (this.#audio !== null) this.#audio.currentTime = seconds;
    this.#set({ seconds });
  }

  #listenTo(audio: HTMLAudioElement): HTMLAudioElement {
    audio.currentTime = this.state.get().seconds;
    audio.addEventListener("error", () => {
      if (!this.#isOpening && this.state.get().playing) void this.play();
    });
    audio.addEventListener("play", () => {
      this.#set({ playing: true, ended: false, problem: null });
      this.#stopFollowing ??= eachFrame(() => this.#set({ seconds: audio.currentTime }));
    });
    audio.addEventListener("pause", () => {
      this.#stopFollowing?.();
      this.#stopFollowing = null;
      this.#set({ playing: false, ended: audio.ended, seconds: audio.ended ? 0 : audio.currentTime });
    });
    return audio;
  }

  #set(change: Partial<PlaybackState>): void {
    this.state.set({ ...this.state.get(), ...change });
  }
}
