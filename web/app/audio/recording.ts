import { Watched } from "../client/watched.js";
import { eachFrame } from "./playback.js";

/** Why nothing can be recorded; the message is for a person. */
export class NoMicrophone extends Error {}

export interface Recording {
  /** How loud it is now, 0 to 1. */
  level: Watched<number>;
  /** Ends it; resolves to what was recorded. */
  stop: () => Promise<Blob>;
  /** Ends it and forgets it. */
  cancel: () => void;
}

/** Best first. The server takes the first two as they are. */
const types = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

/**
 * Begins to record from the microphone.
 * @throws NoMicrophone
 */
export async function startRecording(): Promise<Recording> {
  const stream = await openMicrophone();
  const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType });
  const pieces: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
  const { level, close } = meterOf(stream);
  const end = () => {
    close();
    for (const track of stream.getTracks()) track.stop();
  };
  recorder.start();
  return {
    level,
    stop: () =>
      new Promise((resolve) => {
        const finish = () => {
          end();
          resolve(new Blob(pieces, { type: recorder.mimeType }));
        };
        // It has stopped by itself where the microphone was pulled out.
        if (recorder.state === "inactive") return finish();
        recorder.addEventListener("stop", finish);
        recorder.stop();
      }),
    cancel: () => {
      if (recorder.state !== "inactive") recorder.stop();
      end();
    },
  };
}

async function openMicrophone(): Promise<MediaStream> {
  // Not there on a page that came over plain http from another machine.
  if (!("mediaDevices" in navigator))
    throw new NoMicrophone(
      "Browsers record only on pages that came over https, or from this computer itself.",
    );
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    throw new NoMicrophone(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  const otherWay = "You can write instead, or drop a sound file here.";
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return `The microphone is not allowed on this page. Allow it in the browser's settings of this page. ${otherWay}`;
    case "NotFoundError":
      return `There is no microphone. ${otherWay}`;
    default:
      return `The microphone can't be used: another program may have it. ${otherWay}`;
  }
}

function meterOf(stream: MediaStream): { level: Watched<number>; close: () => void } {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const level = new Watched(0);
  const stop = eachFrame(() => {
    analyser.getFloatTimeDomainData(samples);
    level.set(Math.max(...samples.map(Math.abs)));
  });
  return {
    level,
    close: () => {
      stop();
      void context.close();
    },
  };
}
