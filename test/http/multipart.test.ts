import { afterEach, describe, expect, it } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  boundary,
  codeOf,
  encode,
  field,
  file,
  head,
  headers,
  lastBoundary,
  operationsFor,
  partHead,
  post,
  rawConnection,
  readAll,
  startServer,
} from "./multipart-server.js";
import type { MultipartServer, Part, Resolve, Upload } from "./multipart-server.js";

const mebibyte = 1024 * 1024;
const limits = { maxFileBytes: 2 * mebibyte, maxFieldBytes: 65_536, maxFiles: 3 };
const readAudio: Resolve = async ({ audio }) => (await readAll(audio)).byteLength;
const never: Resolve = () => Promise.reject(new Error("the operation was run"));

let server: MultipartServer | null = null;

async function serve(resolve: Resolve): Promise<MultipartServer> {
  server = await startServer(limits, resolve);
  return server;
}

afterEach(async () => {
  await server?.close();
  server = null;
});

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe("A multipart request", () => {
  it("hands the file's bytes to the operation as they were sent", async () => {
    const audio = Buffer.concat([
      randomBytes(300_000),
      Buffer.from(`\r\n--${boundary.slice(0, -1)}\r\n\r\n--`),
      randomBytes(9),
    ]);
    const here = await serve(async ({ audio: upload }) => (await readAll(upload)).equals(audio));
    const answer = await post(here, encode([...operationsFor("audio"), file("audio", audio)]));
    expect(answer).toMatchObject({ status: 200, data: true });
  });

  it("works with the FormData of fetch", async () => {
    const here = await serve(readAudio);
    const form = new FormData();
    form.set("operations", JSON.stringify({ query: "", variables: { audio: null } }));
    form.set("map", JSON.stringify({ 0: ["variables.audio"] }));
    form.set("0", new Blob([randomBytes(1000)]), "question.wav");
    const answer = await post(here, form, { "apollo-require-preflight": "true" });
    expect(answer).toMatchObject({ status: 200, data: 1000 });
  });

  it("takes operations and map with a file name, a file without one, and an empty file", async () => {
    const here = await serve(async ({ a, b }) => [
      (await readAll(a)).toString(),
      (await readAll(b)).byteLength,
    ]);
    const [operations, map] = operationsFor("a", "b").map((part) => ({ ...part, filename: "blob" }));
    const parts = [operations, map, field("a", "sound"), file("b", "")].filter((part) => part !== undefined);
    expect(await post(here, encode(parts))).toMatchObject({ data: ["sound", 0] });
  });

  it("is run before its file has arrived, and holds the sender back until the file is read", async () => {
    const running = deferred<undefined>();
    const go = deferred<undefined>();
    const here = await serve(async (variables) => {
      running.resolve(undefined);
      await go.promise;
      return readAudio(variables);
    });
    const { socket, closed } = rawConnection(here);
    socket.write(head({ "transfer-encoding": "chunked", connection: "close" }));
    const writeChunk = (bytes: Uint8Array | string) => {
      socket.write(`${Buffer.byteLength(bytes).toString(16)}\r\n`);
      socket.write(bytes);
      return socket.write("\r\n");
    };
    writeChunk(
      encode(operationsFor("audio")).toString().slice(0, -lastBoundary.length) + partHead(file("audio", "")),
    );
    await running.promise;
    writeChunk(randomBytes(2 * mebibyte));
    go.resolve(undefined);
    writeChunk(`\r\n${lastBoundary}`);
    socket.write("0\r\n\r\n");
    expect(await closed).toContain(String(2 * mebibyte));
  });

  it("leaves the connection open for the next one when all of it was read", async () => {
    const here = await serve(readAudio);
    const body = encode([...operationsFor("audio"), file("audio", "123")]);
    const { socket, closed } = rawConnection(here);
    socket.write(head({ "content-length": body.byteLength }));
    socket.write(body);
    await once(socket, "data");
    socket.write(head({ "content-length": body.byteLength, connection: "close" }));
    socket.write(body);
    expect((await closed).match(/\{"data":3\}/g)).toHaveLength(2);
  });

  it("is matched without regard to case, and leaves other bodies alone", async () => {
    const here = await serve((variables) => Promise.resolve(variables["text"] ?? "none"));
    const json = JSON.stringify({ variables: { text: "hello" } });
    expect(await post(here, json, { "content-type": "application/json" })).toMatchObject({ data: "hello" });
    const sent = { ...headers, "content-type": `Multipart/Form-Data; Boundary="${boundary}"` };
    const body = encode(operationsFor());
    expect(await post(here, body, sent)).toMatchObject({ data: "none" });
  });
});

describe("Several files", () => {
  const both = (a: string, b: string): Buffer =>
    encode([...operationsFor("a", "b"), file("a", a), file("b", b)]);
  const long = "x".repeat(mebibyte);

  it("are read in the order in which they were sent", async () => {
    const here = await serve(async ({ a, b }) => [
      (await readAll(a)).byteLength,
      (await readAll(b)).byteLength,
    ]);
    expect(await post(here, both(long, "12"))).toMatchObject({ data: [mebibyte, 2] });
  });

  it("can be waited for together", async () => {
    const here = await serve(async ({ a, b }) => (await Promise.all([readAll(a), readAll(b)])).map(String));
    expect(await post(here, both("1", "2"))).toMatchObject({ data: ["1", "2"] });
  });

  it.each([
    ["short", "1"],
    ["long", long],
  ])("pass by a %s one that nobody uses", async (_length, unused) => {
    const here = await serve(async ({ b }) => (await readAll(b)).toString());
    expect(await post(here, both(unused, "2"))).toMatchObject({ data: "2" });
  });

  it("used against their order fail for the earlier one", async () => {
    const here = await serve(async ({ a, b }) => [
      (await readAll(b)).toString(),
      await readAll(a).catch(codeOf),
    ]);
    expect(await post(here, both(long, "2"))).toMatchObject({ data: ["2", "BAD_USER_INPUT"] });
  });

  it("go on after one whose reader has given up", async () => {
    const here = await serve(async ({ a, b }) => {
      (await a)?.stream.destroy();
      return (await readAll(b)).toString();
    });
    expect(await post(here, both(long, "2"))).toMatchObject({ data: "2" });
  });

  it("pass by a part that the map does not name", async () => {
    const here = await serve(readAudio);
    const body = encode([...operationsFor("audio"), file("other", long), file("audio", "12")]);
    expect(await post(here, body)).toMatchObject({ data: 2 });
  });

  it("can be given out once each, also where the map names two places for one", async () => {
    const here = await serve(async ({ a, b }) => {
      const first = readAll(a);
      return [await readAll(b).catch(codeOf), await readAll(a).catch(codeOf), (await first).toString()];
    });
    const operations = field("operations", { variables: { a: null, b: null } });
    const body = encode([operations, field("map", { f: ["variables.a", "variables.b"] }), file("f", "12")]);
    expect(await post(here, body)).toMatchObject({ data: ["BAD_USER_INPUT", "BAD_USER_INPUT", "12"] });
  });
});

describe("A file that does not come", () => {
  it("fails where somebody waits for it", async () => {
    const here = await serve(readAudio);
    const answer = await post(here, encode(operationsFor("audio")));
    expect(answer).toMatchObject({ status: 200, code: "BAD_USER_INPUT" });
    expect(answer.message).toContain("without a file part");
  });

  it("fails where somebody waits for it, behind a part that nobody uses", async () => {
    const here = await serve(async ({ b }) => (await readAll(b)).byteLength);
    const answer = await post(here, encode([...operationsFor("a", "b"), file("a", "1")]));
    expect(answer).toMatchObject({ code: "BAD_USER_INPUT" });
  });

  it("harms nobody who does not look at it", async () => {
    const here = await serve(() => Promise.resolve("done"));
    expect(await post(here, encode(operationsFor("audio")))).toMatchObject({ data: "done" });
    await nextTurn();
    expect(await post(here, encode(operationsFor("audio")))).toMatchObject({ data: "done" });
  });
});

describe("A mistake in a multipart request", () => {
  const operations = field("operations", { variables: { audio: null, list: [null], text: "x", nested: {} } });
  const to = (...paths: unknown[]): Part[] => [operations, field("map", { 0: paths }), file("0", "1")];

  it.each<[string, readonly Part[]]>([
    ["no parts", []],
    ["no map", [operations]],
    ["no operations", [field("map", {})]],
    ["a file before operations", [file("0", "1"), operations, field("map", {})]],
    ["a file between operations and map", [operations, file("0", "1"), field("map", {})]],
    ["operations twice", [operations, operations, field("map", {})]],
    ["operations that are no JSON", [field("operations", "{"), field("map", {})]],
    ["a batch", [field("operations", [{ query: "" }]), field("map", {})]],
    ["operations that are text", [field("operations", '"query"'), field("map", {})]],
    ["operations that are null", [field("operations", "null"), field("map", {})]],
    ["operations that are too long", [field("operations", { query: "x".repeat(65_536) }), field("map", {})]],
    ["a map that is no JSON", [operations, field("map", "")]],
    ["a map that is a list", [operations, field("map", [["variables.audio"]])]],
    ["a map that is too long", [operations, field("map", { 0: ["x".repeat(65_536)] })]],
    ["a map of text", [operations, field("map", { 0: "variables.audio" })]],
    ["a map of no paths", to()],
    ["a map of numbers", to(1)],
    [
      "a map of too many files",
      [operations, field("map", Object.fromEntries("abcd".split("").map((n) => [n, ["x"]])))],
    ],
    ["an unknown path", to("variables.other")],
    ["an unknown place in a list", to("variables.list.1")],
    ["a place in a list that is no number", to("variables.list.length")],
    ["a path through a null", to("variables.audio.x")],
    ["a path through text", to("variables.text.0")],
    ["a path to text", to("variables.text")],
    [
      "a path out of the variables",
      [field("operations", { query: null, variables: {} }), field("map", { 0: ["query"] })],
    ],
    ["an empty path", to("")],
    ["the same path twice", to("variables.audio", "variables.audio")],
    ["a path to a prototype", to("variables.__proto__.polluted")],
    ["a path to a prototype's own member", to("variables.nested.constructor.prototype.polluted")],
    [
      "a prototype that the client wrote itself",
      [field("operations", '{"variables":{"__proto__":null}}'), field("map", { 0: ["variables.__proto__"] })],
    ],
  ])("%s: is told before the operation is run", async (_name, parts) => {
    const here = await serve(never);
    const answer = await post(here, encode(parts));
    expect(answer).toMatchObject({ status: 400, code: "BAD_USER_INPUT" });
    expect(answer.message).toMatch(/^\w.{20,}\.$/);
    expect({}).not.toHaveProperty("polluted");
  });

  const [fields] = encode(operationsFor("audio")).toString().split(lastBoundary);
  it.each<[string, string]>([
    ["an empty body", ""],
    ["text", "hello"],
    ["JSON", '{"query":"{viewer{id}}"}'],
    ["the last boundary alone", lastBoundary],
    ["a first boundary alone", `--${boundary}`],
    ["no last boundary", fields?.slice(0, -20) ?? ""],
    ["a part without a header", `--${boundary}\r\n\r\nx\r\n${lastBoundary}`],
    [
      "a part without an end of its header",
      `--${boundary}\r\nContent-Disposition: form-data\r\n${lastBoundary}`,
    ],
    [
      "a part without a name",
      `--${boundary}\r\nContent-Disposition: form-data; filename="x"\r\n\r\nx\r\n${lastBoundary}`,
    ],
    ["another boundary", `--other\r\n${fields ?? ""}--other--`],
    [
      "a part with too many headers",
      (fields ?? "").replace("Content-", "X: y\r\n".repeat(5000) + "Content-"),
    ],
    [
      "a part with a header that is too long",
      (fields ?? "").replace("Content-", `X: ${"y".repeat(50_000)}\r\nContent-`),
    ],
    [
      "unknown characters",
      `--${boundary}\r\nContent-Disposition: form-data; name="operations"\r\nContent-Type: text/plain; charset=x-none\r\n\r\n\u00ff\r\n${lastBoundary}`,
    ],
  ])("%s: is told before the operation is run", async (_name, body) => {
    const here = await serve(never);
    expect(await post(here, body)).toMatchObject({ status: 400, code: "BAD_USER_INPUT" });
  });

  it("a missing boundary: is told", async () => {
    const here = await serve(never);
    const sent = { ...headers, "content-type": "multipart/form-data" };
    expect(await post(here, "x", sent)).toMatchObject({ status: 400, code: "BAD_USER_INPUT" });
  });

  it("too many files: fails those that were still to come", async () => {
    const here = await serve(async ({ a }) => (await readAll(a)).byteLength);
    const extra = ["w", "x", "y", "z"].map((name) => file(name, "1"));
    const answer = await post(here, encode([...operationsFor("a"), ...extra, file("a", "1")]));
    expect(answer).toMatchObject({ code: "BAD_USER_INPUT" });
  });

  it("a field after operations and map: fails the files behind it", async () => {
    const here = await serve(readAudio);
    const body = encode([...operationsFor("audio"), field("map", {}), file("audio", "1")]);
    expect(await post(here, body)).toMatchObject({ code: "BAD_USER_INPUT" });
  });

  it.each<[string, string]>([
    ["no disposition", "X: y"],
    ["another disposition", "Content-Disposition: attachment"],
    ["a name with a line break", 'Content-Disposition: form-data; name="a\nb"'],
  ])(
    "a long part at the end with %s: is told, also with bytes behind the last boundary",
    async (_name, header) => {
      const here = await serve(never);
      const part = `--${boundary}\r\n${header}\r\n\r\n${"x".repeat(30_000)}\r\n${lastBoundary}`;
      for (const epilogue of ["", "y".repeat(1_000_000)]) {
        const answer = await post(here, part + epilogue);
        expect(answer).toMatchObject({ status: 400, code: "BAD_USER_INPUT" });
      }
    },
    30_000,
  );

  it("a long part that is nothing behind a file: takes nothing from the file", async () => {
    const here = await serve(readAudio);
    const [sent = ""] = encode([...operationsFor("audio"), file("audio", "12345")])
      .toString()
      .split(lastBoundary);
    const body = `${sent}--${boundary}\r\nX: y\r\n\r\n${"x".repeat(30_000)}\r\n${lastBoundary}`;
    expect(await post(here, body)).toMatchObject({ data: 5 });
  });

  it("a body that ends inside of its file: fails the file, not only its end", async () => {
    const here = await serve(readAudio);
    const body = encode([...operationsFor("audio"), file("audio", "12345")]).subarray(
      0,
      -lastBoundary.length - 2,
    );
    expect(await post(here, body)).toMatchObject({ code: "BAD_USER_INPUT" });
  });
});

describe("A client that hangs up", () => {
  const begun = (content: string): string =>
    `${encode(operationsFor("audio")).toString().slice(0, -lastBoundary.length)}${partHead(file("audio", ""))}${content}`;

  it("in the middle of its file fails the reader of the file", async () => {
    const outcome = deferred<string>();
    const here = await serve(async (variables) => {
      await readAudio(variables).then(
        (length) => outcome.resolve(String(length)),
        (error: unknown) => outcome.resolve(codeOf(error)),
      );
    });
    const { socket } = rawConnection(here);
    socket.end(head({ "content-length": 100_000 }) + begun("12345"));
    expect(await outcome.promise).toBe("BAD_USER_INPUT");
  });

  it("before its file fails those who wait for it", async () => {
    const outcome = deferred<string>();
    const running = deferred<undefined>();
    const here = await serve(async (variables) => {
      running.resolve(undefined);
      await readAudio(variables).catch((error: unknown) => outcome.resolve(codeOf(error)));
    });
    const { socket } = rawConnection(here);
    socket.write(head({ "content-length": 100_000 }) + begun("").slice(0, -10));
    await running.promise;
    socket.destroy();
    expect(await outcome.promise).toBe("BAD_USER_INPUT");
  });

  it("before its operations are whole leaves the server as it was", async () => {
    const here = await serve(() => Promise.resolve("done"));
    const { socket, closed } = rawConnection(here);
    socket.end(head({ "content-length": 100_000 }) + begun("").slice(0, 100));
    await closed;
    expect(await post(here, encode(operationsFor()))).toMatchObject({ data: "done" });
  });

  it("after its whole body changes nothing for a reader that comes later", async () => {
    const outcome = deferred<number>();
    const running = deferred<undefined>();
    const hungUp = deferred<undefined>();
    const here = await serve(async ({ audio }) => {
      running.resolve(undefined);
      await hungUp.promise;
      outcome.resolve((await readAll(audio)).byteLength);
    });
    const body = encode([...operationsFor("audio"), file("audio", "12345")]);
    const { socket, closed } = rawConnection(here);
    socket.write(head({ "content-length": body.byteLength }));
    socket.write(body);
    await running.promise;
    socket.destroy();
    await closed;
    await nextTurn();
    hungUp.resolve(undefined);
    expect(await outcome.promise).toBe(5);
  });
});

describe("The limits of a multipart request", () => {
  const withFile = (byteLength: number): Buffer =>
    encode([...operationsFor("audio"), file("audio", Buffer.alloc(byteLength))]);

  it("admit a file of exactly the size allowed", async () => {
    const here = await serve(readAudio);
    expect(await post(here, withFile(limits.maxFileBytes))).toMatchObject({ data: limits.maxFileBytes });
  });

  it("refuse a file with one byte more", async () => {
    const here = await serve(readAudio);
    expect(await post(here, withFile(limits.maxFileBytes + 1))).toMatchObject({ code: "AUDIO_TOO_LARGE" });
  });

  it("refuse a file with one byte more before anybody waits for it", async () => {
    const here = await serve(async ({ audio }) => {
      await nextTurn();
      return readAll(audio);
    });
    server = here;
    expect(await post(here, withFile(limits.maxFileBytes + 1))).toMatchObject({ code: "AUDIO_TOO_LARGE" });
  });

  const refused = { status: 400, connection: "close" };
  it.each([
    ["no preflight header", { "content-type": headers["content-type"] }],
    ["an empty one", { ...headers, "apollo-require-preflight": "" }],
  ])("refuse %s", async (_name, sent) => {
    const here = await serve(never);
    const answer = await post(here, withFile(1000), sent);
    expect(answer).toMatchObject({ status: 400, code: "BAD_REQUEST" });
    expect(answer.message).toContain("apollo-require-preflight");
  });

  it("know the other preflight header", async () => {
    const here = await serve(readAudio);
    const sent = { "content-type": headers["content-type"], "x-apollo-operation-name": "AddAudioTurn" };
    expect(await post(here, withFile(9), sent)).toMatchObject({ data: 9 });
  });

  /** 200 MB, a mebibyte at a time; made only while somebody takes it. */
  function endless(parts: readonly Part[]): { body: ReadableStream<Uint8Array>; offeredBytes: () => number } {
    let offeredBytes = 0;
    const start = encode(parts).subarray(0, -lastBoundary.length - 2);
    const chunk = new Uint8Array(mebibyte);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(offeredBytes === 0 ? start : chunk);
        offeredBytes += mebibyte;
        if (offeredBytes > 200 * mebibyte) controller.close();
      },
    });
    return { body, offeredBytes: () => offeredBytes };
  }

  const endlessFile = [...operationsFor("audio"), file("audio", "")];
  it.each<[string, Resolve, Record<string, string>, readonly Part[], object]>([
    ["a file without end", readAudio, headers, endlessFile, { status: 200, code: "AUDIO_TOO_LARGE" }],
    ["a file without end that nobody reads", () => Promise.resolve(1), headers, endlessFile, { data: 1 }],
    [
      "a file without end and no preflight header",
      never,
      { "content-type": headers["content-type"] },
      endlessFile,
      refused,
    ],
    ["operations without end", never, headers, [field("operations", "")], refused],
    [
      "a map that is wrong before a file without end",
      never,
      headers,
      [field("operations", {}), field("map", []), file("a", "")],
      refused,
    ],
  ])(
    "answer %s after a few MiB, and fetch hears the answer",
    async (_name, resolve, sent, parts, expected) => {
      const here = await serve(resolve);
      const { body, offeredBytes } = endless(parts);
      expect(await post(here, body, sent)).toMatchObject({ ...expected, connection: "close" });
      await here.close();
      expect(here.receivedBytes()).toBeLessThan(limits.maxFileBytes + 3 * mebibyte);
      // What the sockets of both sides hold is no more than a few MiB.
      expect(offeredBytes()).toBeLessThan(50 * mebibyte);
    },
  );

  it("refuse a body by its length alone, close the connection, and keep memory flat", async () => {
    const here = await serve(never);
    const { socket, closed } = rawConnection(here);
    const chunk = Buffer.alloc(mebibyte);
    const before = process.memoryUsage().arrayBuffers;
    socket.write(head({ "content-length": 200 * mebibyte }));
    const send = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on("drain", send);
    send();
    const answer = await closed;
    expect(answer).toMatch(/^HTTP\/1.1 413 .*\r\nconnection: close\r\n/is);
    expect(answer).toContain("AUDIO_TOO_LARGE");
    expect(here.receivedBytes()).toBeLessThan(3 * mebibyte);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * mebibyte);
  });
});

describe("An upload that nobody waits for", () => {
  it("stays silent when it fails", async () => {
    const kept: Upload[] = [];
    const here = await serve(({ audio }) => {
      if (audio !== undefined) kept.push(audio);
      return Promise.resolve("done");
    });
    expect(await post(here, encode(operationsFor("audio")))).toMatchObject({ data: "done" });
    await nextTurn();
    await expect(kept[0]).rejects.toMatchObject({ code: "BAD_USER_INPUT" });
  });
});
