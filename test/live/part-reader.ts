export interface Answer {
  status: number;
  headers: Headers;
  errors: { message: string; extensions: Record<string, unknown> }[];
}

export const multipart = "multipart/mixed;subscriptionSpec=1.0, application/json";

/** Posts an operation as a client does that can read parts. */
export function post(
  endpoint: string,
  body: { query: string; variables?: Record<string, unknown> },
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json", accept: multipart, ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}

export async function answerOf(response: Response): Promise<Answer> {
  const { errors } = (await response.json()) as Pick<Answer, "errors">;
  return { status: response.status, headers: response.headers, errors };
}

/** Reads the parts of an answer one by one, each as soon as it is whole. */
export class PartReader {
  readonly response: Response;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";

  constructor(response: Response) {
    this.response = response;
    if (response.body === null) throw new Error("there is no body");
    this.#chunks = response.body[Symbol.asyncIterator]();
  }

  /** The next part that is no heartbeat; null at the end. */
  async next(): Promise<unknown> {
    for (;;) {
      const part = await this.part();
      if (part === null || Object.keys(part).length > 0) return part;
    }
  }

  /** The next part; null at the end, after which nothing may follow. */
  async part(): Promise<object | null> {
    const [, ending, json = ""] = await this.#read(
      /^\r\n--graphql(--\r\n|\r\n[^]*?\r\n\r\n([^]*?)(?=\r\n--graphql))/,
    );
    if (ending !== "--\r\n") return JSON.parse(json) as object;
    if (this.#text !== "" || (await this.#chunks.next()).done !== true) throw new Error("something follows");
    return null;
  }

  async #read(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#text);
      if (found !== null) {
        this.#text = this.#text.slice(found[0].length);
        return found;
      }
      const chunk = await this.#chunks.next();
      if (chunk.done === true) throw new Error(`the answer breaks off after: ${this.#text}`);
      this.#text += this.#decoder.decode(chunk.value, { stream: true });
    }
  }
}
