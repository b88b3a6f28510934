import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { Readable } from "node:stream";
import { types } from "node:util";
import { ParleyError } from "../../src/errors.js";
import { readMultipartRequest } from "../../src/http/multipart-request.js";
import { boundary, encode, file, headers, operationsFor, readAll } from "./multipart-server.js";
import type { Upload } from "./multipart-server.js";

const limits = { maxFileBytes: 200_000, maxFieldBytes: 4096, maxFiles: 2 };

interface Outcome {
  refused: ParleyError | null;
  /** The bytes of each file, or why there are none. */
  files: (Buffer | ParleyError)[];
}

/** Reads all that a body holds; whatever is wrong with it must come as a ParleyError. */
async function read(body: readonly Uint8Array[]): Promise<Outcome> {
  const request = Object.assign(Readable.from(body, { objectMode: false }), { headers });
  try {
    const operations = await readMultipartRequest(request, limits, new AbortController().signal);
    const { variables } = operations as { variables: Record<string, Upload> };
    // Damage to the map can leave a null where it was.
    const uploads = Object.values(variables).filter((value) => types.isPromise(value));
    const readOne = (upload: Upload) => readAll(upload).catch(requireParleyError);
    return { refused: null, files: await Promise.all(uploads.map(readOne)) };
  } catch (error) {
    return { refused: requireParleyError(error), files: [] };
  }
}

function requireParleyError(error: unknown): ParleyError {
  if (error instanceof ParleyError) return error;
  throw error;
}

function split(body: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (body.byteLength + 1)), body.byteLength].sort(
    (a, b) => a - b,
  );
  return places
    .slice(1)
    .map((end, index) => body.subarray(places[index], end))
    .filter(({ byteLength }) => byteLength > 0);
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.uint8Array({ minLength: 100_000, maxLength: 200_000 }),
  fc
    .array(fc.constantFrom("\r\n", "-", "--", boundary.slice(0, -1), "\r\n--", "x"), { maxLength: 20 })
    .map((pieces) => Buffer.from(pieces.join(""))),
);

it("A body gives the same files wherever the network cuts it", async () => {
  await fc.assert(
    fc.asyncProperty(content, content, cuts, async (a, b, places) => {
      const body = encode([...operationsFor("a", "b"), file("a", a), file("b", b)]);
      const { refused, files } = await read(split(body, places));
      expect(refused).toBeNull();
      expect(files.map((bytes) => bytes instanceof Buffer && bytes.toString("hex"))).toEqual(
        [a, b].map((bytes) => Buffer.from(bytes).toString("hex")),
      );
    }),
    { numRuns: 40 },
  );
});

it("A body that was cut off never gives a whole last file, and always comes to an end", async () => {
  await fc.assert(
    fc.asyncProperty(content, cuts, fc.nat(), async (bytes, places, cut) => {
      const body = encode([...operationsFor("a"), file("a", bytes)]);
      // Without its last line break a body is still whole.
      const { refused, files } = await read(split(body.subarray(0, cut % (body.byteLength - 3)), places));
      expect(refused ?? files[0]).toBeInstanceOf(ParleyError);
    }),
    { numRuns: 80 },
  );
});

it("A damaged body is refused or read, and always comes to an end", async () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom("\r\n", "\r\n\r\n", `--${boundary}`, "--", '"', ";", "\u0000", "")),
    { minLength: 1, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(damage, cuts, async (changes, places) => {
      let text = encode([
        ...operationsFor("a", "b"),
        file("a", "12345"),
        file("b", "x".repeat(500)),
      ]).toString("latin1");
      for (const [place, inserted] of changes) {
        const at = place % text.length;
        text = text.slice(0, at) + inserted + text.slice(at + 1);
      }
      const { refused, files } = await read(split(Buffer.from(text, "latin1"), places));
      expect(files.length).toBeLessThanOrEqual(refused === null ? limits.maxFiles : 0);
    }),
    { numRuns: 400 },
  );
});
