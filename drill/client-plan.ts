import { Random } from "./random.js";

export const replyFormats = ["WAV", "PCM16", "MP3", "FLAC", "OPUS", "AAC"] as const;
export type ReplyFormat = (typeof replyFormats)[number];

/** What a client does next, decided before it does it, so that a seed repeats it whatever the timing. */
export interface QuestionPlan {
  kind: "text" | "text-only" | "audio";
  /** What the reply's sound is asked for in. All but WAV and PCM16 come as a file, in one piece. */
  format: ReplyFormat;
  /** Which of the client's open conversations, from 0 to before 1. */
  conversation: number;
  /** Whether it starts another conversation for it. */
  fresh: boolean;
  /** Waits for the end in the request, or is answered as soon as the turn is accepted. */
  waits: boolean;
  /** Cancels the turn so long after it was accepted. */
  cancelAfterMs: number | null;
  /** How often it asks again after an interrupted or cancelled attempt. */
  retries: number;
  /** Drops the connection so long after it began to send, and sends the same again. */
  impatientAfterMs: number | null;
  /** Sends the same request twice at once. */
  twice: boolean;
  listens: boolean;
  /** Deletes the conversation: while the turn runs, or when it has ended. */
  deletes: "never" | "while it runs" | "afterwards";
  sound: { durationMs: number; frequencyHz: number; pieces: number; pauseMs: number };
  thinkMs: number;
}

export function planQuestion(seed: number, client: number, number: number): QuestionPlan {
  const random = new Random(seed, `client ${client} question ${number}`);
  const draw = random.next();
  const kind = draw < 0.5 ? "text" : draw < 0.65 ? "text-only" : "audio";
  const waits = random.chance(0.5);
  const deletion = random.next();
  return {
    kind,
    conversation: random.next(),
    fresh: random.chance(0.08),
    waits,
    cancelAfterMs: maybe(random, waits ? 0 : 0.25, 0, 150),
    retries: random.chance(0.6) ? random.whole(1, 3) : 0,
    impatientAfterMs: maybe(random, 0.07, 0, 60),
    twice: random.chance(0.05),
    listens: random.chance(0.4),
    deletes: deletion < 0.02 && !waits ? "while it runs" : deletion < 0.06 ? "afterwards" : "never",
    sound: {
      durationMs: random.whole(100, 700),
      frequencyHz: random.whole(200, 900),
      pieces: random.whole(2, 9),
      pauseMs: random.whole(0, 12),
    },
    thinkMs: random.between(0, 80),
    format: planFormat(random),
  };
}

/** Half of the replies are streamed as WAV, the others are as likely in each other format. */
function planFormat(random: Random): ReplyFormat {
  const others = replyFormats.filter((format) => format !== "WAV");
  return (random.chance(0.5) ? "WAV" : others[random.whole(0, others.length - 1)]) ?? "WAV";
}

function maybe(random: Random, share: number, low: number, high: number): number | null {
  const [happens, value] = [random.chance(share), random.between(low, high)];
  return happens ? value : null;
}
