import { Connection } from "./connection.js";
import { MalformedAnswer, readAnswers } from "./http-answers.js";
import type { ReadAnswers } from "./http-answers.js";
import { judgeAnswer, methodOfWholeRequest } from "./judge.js";
import { splitRequest } from "./request-parts.js";
import { fillIn } from "./scene.js";
import type { Scene } from "./scene.js";
import { patienceMs } from "./server-target.js";

/** How long an answer to something that is no whole request is waited for, before this side says that it is done. */
const graceMs = 150;

/** Sends the bytes on a connection of their own and reads all that is answered. */
export async function feedHttp(input: Uint8Array, scene: Scene): Promise<string | null> {
  const sent = fillIn(input, scene);
  const { lines, body } = splitRequest(sent);
  const method = methodOfWholeRequest(
    lines.map((line) => Buffer.from(line).toString("latin1")),
    body?.byteLength ?? null,
  );
  const connection = new Connection(scene);
  try {
    connection.send(sent);
    return method === null ? await takeWhatComes(connection, sent) : await takeAnswer(connection, method);
  } catch (error) {
    if (error instanceof MalformedAnswer) return `a malformed answer: ${error.message}`;
    throw error;
  } finally {
    connection.destroy();
  }
}

async function takeAnswer(connection: Connection, method: string): Promise<string | null> {
  const read = (): ReadAnswers => readAnswers(connection.received, [method], connection.isClosed);
  const isAnswered = () => {
    const { answers, open } = read();
    return answers.length > 0 || (open !== null && isEndless(open.headers));
  };
  if (await connection.until(isAnswered, patienceMs)) return judgeAll(read());
  if (!connection.isClosed) return `no answer to a whole request in ${patienceMs} ms`;
  return `closed without an answer to a whole request, after ${connection.received.byteLength} bytes`;
}

/** Streams of events go on until the client leaves. */
function isEndless(headers: ReadonlyMap<string, string>): boolean {
  return headers.get("content-type")?.startsWith("multipart/mixed") === true;
}

/** What was sent may be anything: nothing must be answered, but the connection must come to its end. */
async function takeWhatComes(connection: Connection, sent: Buffer): Promise<string | null> {
  const methods = methodsIn(sent);
  await connection.until(() => connection.received.byteLength > 0, graceMs);
  await connection.until(() => false, connection.received.byteLength > 0 ? 10 : 0);
  connection.end();
  if (!(await connection.until(() => connection.isClosed, patienceMs))) {
    return `the connection was still open ${patienceMs} ms after its client had ended it`;
  }
  const received = connection.received;
  // After a switch of protocols come frames.
  if (Buffer.from(received).toString("latin1", 0, 12) === "HTTP/1.1 101") return null;
  return judgeAll(readTolerantly(received, methods));
}

/** What can't be read as a request is answered with a body, also where the first word of it is HEAD. */
function readTolerantly(received: Uint8Array, methods: readonly string[]): ReadAnswers {
  try {
    return readAnswers(received, methods, true);
  } catch (error) {
    if (!(error instanceof MalformedAnswer) || methods.length === 0) throw error;
    return readTolerantly(received, methods.slice(0, -1));
  }
}

/** Of pipelined requests; only HEAD matters, and only where it begins a line. */
function methodsIn(sent: Buffer): string[] {
  return [...sent.toString("latin1").matchAll(/([A-Z-]+) \S+ HTTP\/1\.[01]\r?\n/g)].map(
    ([, method = ""]) => method,
  );
}

function judgeAll({ answers }: ReadAnswers): string | null {
  for (const answer of answers) {
    const wrong = judgeAnswer(answer);
    if (wrong !== null) return wrong;
  }
  return null;
}
