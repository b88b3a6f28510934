import { describe, expect, it } from "@jest/globals";
import { InMemoryCache, gql } from "@apollo/client";
import fc from "fast-check";

import { clipPath, downloadPath } from "../../web/app/audio/clip-address.js";
import { GrowingSound, fromBase64 } from "../../web/app/audio/growing-sound.js";
import { barsOf, PeakMeter } from "../../web/app/audio/peaks.js";
import { encodeWav } from "../../web/app/audio/wav.js";
import { turnsField } from "../../web/app/client/turns-field.js";
import { waitMs } from "../../web/app/client/wait-ms.js";
import { titleOf } from "../../web/app/composer/title.js";
import { afterWait, asDuration, spokenDuration } from "../../web/app/parts/format.js";
import { hashOf, placeOf } from "../../web/app/place-hash.js";
import { credentialIn } from "../../web/app/sign-in/credential-text.js";
import { SignIn } from "../../web/app/sign-in/sign-in.js";
import { wavHeader } from "../../src/services/audio/formats/wav-header.js";

const bytes = fc.uint8Array({ minLength: 0, maxLength: 400 }).map((all) => all.subarray(0, all.length & ~1));

describe("The sound of an answer that comes in pieces", () => {
  it("is the same in however many pieces it comes, and however often a piece comes again", () => {
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(400)), (whole, cuts) => {
        const sound = new GrowingSound();
        const places = [...new Set(cuts.map((cut) => Math.min(cut & ~1, whole.length)))].sort(
          (a, b) => a - b,
        );
        for (const end of [...places, whole.length]) {
          // From the start each time: what is there already must be left out.
          sound.append(0, whole.subarray(0, end));
        }
        const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
        const expected = Array.from({ length: whole.length / 2 }, (_, i) => view.getInt16(i * 2, true));
        expect([...sound.from(0)].map((sample) => Math.round(sample * 0x8000))).toEqual(expected);
      }),
    );
  });

  it("does not accept a gap", () => {
    const sound = new GrowingSound();
    sound.append(0, new Uint8Array(4));
    expect(() => sound.append(6, new Uint8Array(2))).toThrow("gap");
  });

  it("grows beyond what it made room for first", () => {
    const sound = new GrowingSound();
    const piece = new Uint8Array(48_000).fill(1);
    for (let second = 0; second < 25; second += 1) sound.append(second * piece.length, piece);
    expect(sound.seconds).toBe(25);
    expect(sound.from(25 * 24_000 - 1)).toHaveLength(1);
  });

  it("reads base64 as the server writes it", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (all) => {
        expect(Buffer.from(fromBase64(Buffer.from(all).toString("base64")))).toEqual(Buffer.from(all));
      }),
    );
  });
});

describe("A waveform", () => {
  it.each([
    [[], 3, [0, 0, 0]],
    [[0, 0], 2, [0, 0]],
    [[1, 2, 4], 3, [0.25, 0.5, 1]],
    [[1, 4, 2, 1], 2, [1, 0.5]],
    [[2], 3, [1, 1, 1]],
  ])("of the peaks %j in %d bars is %j", (peaks, count, bars) => {
    expect(barsOf(peaks, count)).toEqual(bars);
  });

  it("has as many bars as were asked for, none higher than 1, and one of 1 unless there is silence", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.integer({ min: 1, max: 100 }), (peaks, count) => {
        const bars = barsOf(peaks, count);
        expect(bars).toHaveLength(count);
        expect(Math.max(...bars)).toBe(peaks.some((peak) => peak > 0) ? 1 : 0);
      }),
    );
  });

  it("is the same whether the sound comes at once or in pieces", () => {
    const samples = Float32Array.from({ length: 24_000 }, (_, i) => Math.sin(i / 50) * (i / 24_000));
    const whole = new PeakMeter(24_000);
    whole.add(samples);
    const pieces = new PeakMeter(24_000);
    for (let at = 0; at < samples.length; at += 777) pieces.add(samples.subarray(at, at + 777));
    expect(pieces.bars(10)).toEqual(whole.bars(10));
  });
});

describe("A recording that the browser has decoded", () => {
  it("becomes a WAV that says what it is; what is too loud is cut, not turned around", async () => {
    const file = Buffer.from(await encodeWav(Float32Array.from([0, 1, -1, 2, -2]), 24_000).arrayBuffer());
    const facts = { sampleRate: 24_000, channels: 1, bitsPerSample: 16, dataByteLength: 10 };
    expect(file.subarray(0, 44)).toEqual(Buffer.from(wavHeader(facts)));
    const samples = Array.from({ length: 5 }, (_, i) => file.readInt16LE(44 + i * 2));
    expect(samples).toEqual([0, 0x7fff, -0x7fff, 0x7fff, -0x7fff]);
  });
});

describe("Waiting for the server", () => {
  it.each([
    [1, 0, 500],
    [2, 0, 1_000],
    [5, 0, 8_000],
    [6, 0, 10_000],
    [1_000, 0, 10_000],
    [1, 1, 250],
  ])("after %d failures with chance %d takes %d ms", (failures, chance, expected) => {
    expect(waitMs(failures, chance)).toBe(expected);
  });
});

describe("The address", () => {
  it.each(["", "#", "#conv_", "#conv_<script>", "#conv_1/../2", `#conv_${"A".repeat(65)}`, "#other"])(
    "%j leads to the list",
    (hash) => {
      expect(placeOf(hash)).toEqual({ kind: "list" });
    },
  );

  it("leads back to where it was made", () => {
    for (const place of [
      { kind: "list" },
      { kind: "new" },
      { kind: "conversation", id: "conv_01ARZ3" },
    ] as const)
      expect(placeOf(hashOf(place))).toEqual(place);
  });
});

describe("Words for people", () => {
  it("cut no character of a title in two", () => {
    expect(titleOf("🐕".repeat(70))).toBe(`${"🐕".repeat(59)}…`);
  });

  it.each([
    ["  Hello \n there ", "Hello there"],
    ["", null],
    ["word ".repeat(20), "word word word word word word word word word word word…"],
    ["x".repeat(100), `${"x".repeat(59)}…`],
  ])("the title of %j is %j", (text, title) => {
    expect(titleOf(text)).toBe(title);
  });

  it.each([
    [0, "0:00", "0 seconds"],
    [1.9, "0:01", "1 second"],
    [65, "1:05", "1 minute 5 seconds"],
    [600, "10:00", "10 minutes 0 seconds"],
  ])("%d seconds are %s, and said as %s", (seconds, shown, said) => {
    expect(asDuration(seconds)).toBe(shown);
    expect(spokenDuration(seconds)).toBe(said);
  });
});

describe("The turns that the page holds", () => {
  const query = gql`
    query ($last: Int, $before: String) {
      conversation {
        id
        turns(last: $last, before: $before) {
          nodes {
            id
            position
          }
          pageInfo {
            hasPreviousPage
            startCursor
          }
        }
      }
    }
  `;

  /** The positions that are held after pages `[from, to]` came one after the other, and whether there is more. */
  function held(...pages: [number, number][]): unknown {
    const cache = new InMemoryCache({ typePolicies: { Conversation: { fields: { turns: turnsField } } } });
    for (const [from, to] of pages) {
      const nodes = Array.from({ length: to - from + 1 }, (_, index) => from + index).map((position) => ({
        __typename: "Turn",
        id: `turn_${position}`,
        position,
      }));
      const pageInfo = { __typename: "PageInfo", hasPreviousPage: from > 1, startCursor: String(from) };
      const turns = { __typename: "TurnConnection", nodes, pageInfo };
      cache.writeQuery({
        query,
        data: { conversation: { __typename: "Conversation", id: "conv_1", turns } },
      });
    }
    const read = cache.readQuery<{
      conversation: { turns: { nodes: { position: number }[]; pageInfo: { hasPreviousPage: boolean } } };
    }>({ query })?.conversation.turns;
    return [read?.nodes.map(({ position }) => position), read?.pageInfo.hasPreviousPage];
  }

  it.each<[string, [number, number][], unknown]>([
    [
      "an earlier page comes in front",
      [
        [3, 4],
        [1, 2],
      ],
      [[1, 2, 3, 4], false],
    ],
    [
      "a newer page adds what is new",
      [
        [1, 3],
        [2, 4],
      ],
      [[1, 2, 3, 4], false],
    ],
    [
      "a newer page that begins right behind adds to it",
      [
        [2, 3],
        [4, 5],
      ],
      [[2, 3, 4, 5], true],
    ],
    [
      "a page that does not reach back takes their place",
      [
        [1, 2],
        [5, 6],
      ],
      [[5, 6], true],
    ],
    [
      "an earlier page that does not reach up to them is left out",
      [
        [3, 4],
        [7, 8],
        [1, 2],
      ],
      [[7, 8], true],
    ],
  ])("are one list without holes: %s", (_, pages, expected) => {
    expect(held(...pages)).toEqual(expected);
  });
});

describe("A token or key that somebody puts in", () => {
  it.each([
    ["parley_01ARZ3NDEKTSV4RRFFQ69G5FAV_a-b_c", "parley_01ARZ3NDEKTSV4RRFFQ69G5FAV_a-b_c"],
    ["  abc.def-ghi=\n", "abc.def-ghi="],
    ["Bearer abc", "abc"],
    ["authorization: bearer  abc", "abc"],
    ["", null],
    ["two words", null],
    ["clé", null],
    ["abc\nx-other: header", null],
  ])("is read out of %j as %j", (text, credential) => {
    expect(credentialIn(text)).toBe(credential);
  });
});

describe("Somebody who signs in", () => {
  const ann = { credential: "one", viewerId: "viewer_ann" };

  it("is asked only where the credential that is used now was refused", () => {
    const signIn = new SignIn(null);
    expect(signIn.state.get()).toBe("unasked");
    signIn.refuse(null);
    expect(signIn.state.get()).toBe("asked");
    signIn.take(ann);
    signIn.refuse(null);
    expect(signIn.state.get()).toBe("signed-in");
    signIn.refuse("one");
    expect(signIn.state.get()).toBe("asked-again");
    signIn.take({ ...ann, credential: "two" });
    signIn.refuse("one");
    expect(signIn.state.get()).toBe("signed-in");
  });

  it("is waited for", async () => {
    const signIn = new SignIn(null);
    await signIn.settled();
    signIn.refuse(null);
    const order: string[] = [];
    const waiting = signIn.settled().then(() => order.push("settled"));
    await Promise.resolve();
    order.push("taken");
    signIn.take(ann);
    await waiting;
    expect(order).toEqual(["taken", "settled"]);
  });
});

describe("The address of a clip", () => {
  it.each([
    ["http://a.test/audio/clip_1.wav", "/audio/clip_1.wav", "/audio/clip_1.wav?download=clip_1.wav"],
    ["http://a.test/audio/c.wav?e=1&s=x", "/audio/c.wav?e=1&s=x", "/audio/c.wav?e=1&s=x&download=c.wav"],
  ])("of %s keeps what stands behind the question mark", (url, path, download) => {
    expect(clipPath({ url })).toBe(path);
    expect(downloadPath({ url })).toBe(download);
  });
});

describe("When something can be tried again", () => {
  it.each([
    [0, "in 1 second"],
    [20_000, "in 20 seconds"],
    [61_000, "in 2 minutes"],
  ])("after %d ms is told: %s", (wait, told) => {
    expect(afterWait(wait)).toBe(told);
  });

  it("is told as a moment from an hour on", () => {
    const now = new Date(2026, 0, 2, 10, 0);
    expect(afterWait(2 * 3_600_000, now)).toMatch(/^at 12:00/);
    expect(afterWait(2 * 86_400_000, now)).toMatch(/^on .*4.* at 10:00/);
  });
});
