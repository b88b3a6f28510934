import { Watched } from "../client/watched.js";
import { eachFrame, takeStage } from "./playback.js";
import type { Playback, PlaybackState } from "./playback.js";

/** Plays a clip by its address. Nothing is loaded before it is played. */
export class FilePlayback implements Playback {
  readonly state: Watched<PlaybackState>;
  readonly #address: (anew: boolean) => Promise<string>;
  /** One for however many presses while it is opened; null before, and after it was let go. */
  #opening: Promise<HTMLAudioElement> | null = null;
  #audio: HTMLAudioElement | null = null;
  /** Counts what was asked for. An address may come late: what was asked for since, a pause say, holds. */
  #asked = 0;
  #isBeginning = false;
  #stopFollowing: (() => void) | null = null;

  /** `address`: where it is, `anew` where the one before may have ended since. `seconds`: where to begin. */
  constructor(address: (anew: boolean) => Promise<string>, seconds = 0) {
    this.#address = address;
    this.state = new Watched<PlaybackState>({ playing: false, seconds, ended: false, problem: null });
  }

  async play(): Promise<void> {
    takeStage(this);
    const asked = (this.#asked += 1);
    this.#isBeginning = true;
    try {
      const audio = await this.#opened();
      if (asked !== this.#asked) return;
      if (audio !== this.#audio) audio.currentTime = this.state.get().seconds;
      this.#audio = audio;
      await audio.play().catch((error: unknown) => this.#playAnew(audio, asked, error));
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#tell(error);
    }
    if (asked === this.#asked) this.#isBeginning = false;
  }

  async #opened(): Promise<HTMLAudioElement> {
    const opening = (this.#opening ??= this.#open());
    try {
      return await opening;
    } catch (error) {
      // The next press tries again.
      if (this.#opening === opening) this.#opening = null;
      throw error;
    }
  }

  async #open(): Promise<HTMLAudioElement> {
    return this.#listenTo(new Audio(await this.#address(false)));
  }

  /** A signed address ends after a while, also in the middle of playing; what is wrong otherwise is wrong again. */
  async #playAnew(audio: HTMLAudioElement, asked: number, error: unknown): Promise<void> {
    if (!(error instanceof DOMException && error.name === "NotSupportedError")) throw error;
    const src = await this.#address(true);
    if (asked !== this.#asked) {
      revoke(src);
      return;
    }
    audio.src = src;
    audio.currentTime = this.state.get().seconds;
    await audio.play();
  }

  #tell(error: unknown): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    // A browser lets no page speak before somebody has touched it; the play button is still there.
    const isShy = error instanceof DOMException && error.name === "NotAllowedError";
    this.#set({ playing: false, problem: isShy ? null : "This browser can't play this sound." });
  }

  pause(): void {
    this.#asked += 1;
    this.#isBeginning = false;
    this.#audio?.pause();
  }

  /** Ends it and lets go of what was loaded, or is still opened; it can be played again. */
  release(): void {
    this.pause();
    this.#opening?.then(
      ({ src }) => revoke(src),
      () => undefined,
    );
    this.#opening = null;
    this.#audio = null;
  }

  seek(seconds: number): void {
    if (this.#audio !== null) this.#audio.currentTime = seconds;
    this.#set({ seconds });
  }

  #listenTo(audio: HTMLAudioElement): HTMLAudioElement {
    audio.addEventListener("error", () => {
      if (!this.#isBeginning && this.state.get().playing) void this.play();
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

/** Of samples that were made into a file; any other address is the server's. */
function revoke(address: string): void {
  if (address.startsWith("blob:")) URL.revokeObjectURL(address);
}
