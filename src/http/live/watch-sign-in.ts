import type { SignIn } from "../../auth/sign-in.js";
import { ParleyError } from "../../errors.js";
import type { Logger } from "../../logger.js";

/** The longest time that a timer can be set for. */
const maxTimerMs = 2 ** 31 - 1;

export interface SignInWatch {
  /** Between looks whether it is still good, in milliseconds. */
  recheckMs: number;
  logger: Logger;
  /** Called once, when it is good no more. */
  onEnd: (error: ParleyError) => void;
}

/** Watches over a connection that stays open whether whoever opened it may still be there. Answers how to stop that. */
export function watchSignIn(signIn: SignIn, { recheckMs, logger, onEnd }: SignInWatch): () => void {
  let stopped = false;
  const stop = () => {
    stopped = true;
    clearInterval(looking);
    clearTimeout(ending);
  };
  const look = async () => {
    try {
      await signIn.recheck();
    } catch (error) {
      if (!(error instanceof ParleyError)) {
        logger.warn({ err: error }, "could not look whether a sign-in is still good; looking again");
      } else if (!stopped) {
        stop();
        onEnd(error);
      }
    }
  };
  const looking = setInterval(() => void look(), recheckMs).unref();
  const leftMs = signIn.expiresAt === null ? maxTimerMs : signIn.expiresAt.getTime() - Date.now();
  const ending = setTimeout(() => void look(), Math.min(Math.max(leftMs, 0), maxTimerMs)).unref();
  return stop;
}
