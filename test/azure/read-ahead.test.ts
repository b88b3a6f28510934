import { setImmediate } from "node:timers/promises";
import { ReadableStream } from "node:stream/web";
import { describe, expect, it } from "@jest/globals";
import { ReadAhead } from "../../src/azure/read-ahead.js";

const piece = 64 * 1024;

/** 6 MB in pieces of 64 kB; `told` counts those that were asked for, and whether it was cancelled. */
function long() {
  const told = { pieces: 0, cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        if (told.pieces === 100) return controller.close();
        told.pieces += 1;
        controller.enqueue(new Uint8Array(piece));
      },
      cancel: () => {
        told.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { told, body };
}

async function everythingElse(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await setImmediate();
}

describe("a body that nobody takes", () => {
  it("is read for 256 kB and no further, until some of it is taken", async () => {
    const { told, body } = long();
    const ahead = new ReadAhead(body);
    await everythingElse();
    expect(told.pieces).toBe(4);
    await ahead.next();
    await everythingElse();
    expect(told.pieces).toBe(5);
    ahead.cancel();
  });

  it("is cancelled where it waits to be taken", async () => {
    const { told, body } = long();
    const ahead = new ReadAhead(body);
    await everythingElse();
    ahead.cancel();
    await everythingElse();
    expect(told).toEqual({ pieces: 4, cancelled: true });
  });
});
