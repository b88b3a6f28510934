import { problemOf } from "../client/errors.js";
import type { Problem } from "../client/errors.js";

export interface Reading {
  headers: Record<string, string>;
  /** Ends it; what is answered then is of no interest. */
  signal: AbortSignal;
  /** Is called with the bytes that have come so far; how many there will be the server does not know. */
  onProgress: (bytes: number) => void;
}

/** The server breaks the connection where it can't go on, so that no part passes for the whole. */
const broken: Problem = {
  code: "UNREACHABLE",
  message: "The connection broke before everything was there.",
  retryable: true,
  retryAt: null,
};

/**
 * Reads the ZIP, or why there is none. XMLHttpRequest, because browsers let it put a blob together outside of the page's
 * memory, on disk where it is large, and tell how far it is; of `fetch` they do only one or the other.
 */
export function readExport(url: string, { headers, signal, onProgress }: Reading): Promise<Blob | Problem> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(broken);
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "blob";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onprogress = ({ loaded }) => {
      if (request.status === 200) onProgress(loaded);
    };
    request.onload = () => resolve(answerOf(request));
    request.onerror = () => resolve(broken);
    request.onabort = () => resolve(broken);
    signal.addEventListener("abort", () => request.abort());
    request.send();
  });
}

async function answerOf({ status, response }: XMLHttpRequest): Promise<Blob | Problem> {
  const body: unknown = response;
  if (!(body instanceof Blob)) return broken;
  return status === 200 ? body : problemOf(await body.text().catch(() => ""), status);
}
