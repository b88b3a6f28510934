import type { SpokenOutput } from "../checks/chat-request.js";
import type { Answer } from "./answer.js";
import { fitPiece, nothingSpoken, type Fitted, type SpokenPiece } from "./budget.js";

/** The answer piece by piece, within the limit of tokens. While one piece is being sent, the next is being spoken. */
export async function* spokenPieces(answer: Answer, output: SpokenOutput): AsyncGenerator<Fitted> {
  const texts = answer.speech.split(answer.words);
  const speak = (text: string | undefined) =>
    text === undefined ? null : handled(answer.speech.speak(text, output.voice));
  let next = speak(texts[0]);
  let spoken = nothingSpoken;
  for (const [index, words] of texts.entries()) {
    const pcm = await next;
    if (pcm === null) return;
    next = speak(texts[index + 1]);
    const piece: SpokenPiece = { words, pcm };
    const fitted = fitPiece(spoken, piece, answer.request.maxTokens);
    yield fitted;
    if (fitted.isCut) return;
    spoken = fitted.spoken;
  }
}

/** The piece ahead may fail after nobody wants it any more; whoever awaits it still sees the failure. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
