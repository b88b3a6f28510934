import { Watched } from "../client/watched.js";
import type { GrowingSound } from "./growing-sound.js";
import { eachFrame, takeStage } from "./playback.js";
import type { Playback, PlaybackState } from "./playback.js";
import { modelSampleRate } from "./wav.js";

/** How much later than "now" sound begins after a silence, in seconds: time for the next piece to arrive. */
const leadSeconds = 0.08;

/** A piece of sound that was handed to the audio hardware. */
interface Piece {
  node: AudioBufferSourceNode;
  /** When it begins, on the clock of the context. */
  time: number;
  /** Which part of the sound it is, in samples. */
  sample: number;
  length: number;
}

let shared: AudioContext | null = null;

/** At the rate of the sound, so that pieces meet without resampling at their joints. */
function audioContext(): AudioContext {
  shared ??= new AudioContext({ sampleRate: modelSampleRate, latencyHint: "interactive" });
  return shared;
}

/**
 * Plays an answer while it comes. Each piece is set to begin exactly where the one before it ends, so there is no gap
 * between them; where the next piece is late, it begins as soon as it is there.
 */
export class LivePlayback implements Playback {
  readonly state: Watched<PlaybackState>;
  readonly #sound: GrowingSound;
  #pieces: Piece[] = [];
  /** The first sample that was not handed over yet. */
  #next: number;
  #stopFollowing: (() => void) | null = null;

  /** `seconds`: where to begin. */
  constructor(sound: GrowingSound, seconds = 0) {
    this.#sound = sound;
    this.#next = Math.round(seconds * modelSampleRate);
    this.state = new Watched<PlaybackState>({ playing: false, seconds, ended: false, problem: null });
  }

  async play(): Promise<void> {
    if (this.state.get().playing) return;
    takeStage(this);
    this.#set({ playing: true, ended: false });
    const stopHearing = this.#sound.grown.watch(() => this.#schedule());
    const stopLooking = eachFrame(() => this.#look());
    this.#stopFollowing = () => {
      stopHearing();
      stopLooking();
    };
    await audioContext().resume();
    this.#schedule();
  }

  pause(): void {
    if (!this.state.get().playing) return;
    this.#halt(this.#position());
  }

  seek(seconds: number): void {
    const { playing } = this.state.get();
    const sample = Math.min(Math.round(seconds * modelSampleRate), this.#sound.length);
    this.#halt(sample);
    if (playing) void this.play();
  }

  #schedule(): void {
    const context = audioContext();
    if (!this.state.get().playing || this.#next >= this.#sound.length) return;
    const samples = this.#sound.from(this.#next);
    const buffer = context.createBuffer(1, samples.length, modelSampleRate);
    buffer.copyToChannel(samples, 0);
    const node = new AudioBufferSourceNode(context, { buffer });
    node.connect(context.destination);
    const last = this.#pieces.at(-1);
    const end = last === undefined ? 0 : last.time + last.length / modelSampleRate;
    const time = end > context.currentTime ? end : context.currentTime + leadSeconds;
    node.start(time);
    this.#pieces.push({ node, time, sample: this.#next, length: samples.length });
    this.#next += samples.length;
  }

  #look(): void {
    const position = this.#position();
    this.#set({ seconds: position / modelSampleRate });
    const now = audioContext().currentTime;
    const isDone = ({ time, length }: Piece) => time + length / modelSampleRate < now;
    // The last one stays: it tells where the sound is.
    this.#pieces = this.#pieces.filter((piece, index, all) => index === all.length - 1 || !isDone(piece));
    if (this.#isOver() && this.#pieces.every(isDone)) this.#halt(0, true);
  }

  /** The sample that is heard now. */
  #position(): number {
    const now = audioContext().currentTime;
    const begun = this.#pieces.findLast(({ time }) => time <= now);
    if (begun === undefined) return this.#pieces[0]?.sample ?? this.#next;
    return begun.sample + Math.min(begun.length, Math.floor((now - begun.time) * modelSampleRate));
  }

  #isOver(): boolean {
    return this.#sound.complete.get() && this.#next >= this.#sound.length;
  }

  #halt(sample: number, ended = false): void {
    this.#stopFollowing?.();
    this.#stopFollowing = null;
    for (const { node } of this.#pieces) node.stop();
    this.#pieces = [];
    this.#next = sample;
    this.#set({ playing: false, ended, seconds: sample / modelSampleRate });
  }

  #set(change: Partial<PlaybackState>): void {
    const state = this.state.get();
    const next = { ...state, ...change };
    if (next.playing !== state.playing || next.seconds !== state.seconds) this.state.set(next);
  }
}

/**
 * To be called while somebody presses a key or a button: later, when the answer comes, a browser would no longer let
 * the page begin to sound.
 */
export function unlockSound(): void {
  void audioContext().resume();
}
