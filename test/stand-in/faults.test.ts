import { describe, expect, it } from "@jest/globals";
import {
  faultNames,
  FaultSyntaxError,
  parseFault,
  type Fault,
  type StandIn,
} from "../../src/stand-in/index.js";
import {
  collect,
  parseChunk,
  post,
  readChunks,
  readError,
  readEvents,
  readSpoken,
  readWhole,
  spokenRequest,
  streamRequest,
  withStandIn,
} from "./support.js";

const byName = (fault: string) => ({ headers: { "x-stand-in-fault": fault } });

describe("a fault that is an error", () => {
  const errors: [fault: string, status: number, code: string | null][] = [
    ["unauthorized", 401, "401"],
    ["unauthorized;shape=permission", 401, "PermissionDenied"],
    ["forbidden", 403, "AuthenticationTypeDisabled"],
    ["forbidden;reason=firewall", 403, "403"],
    ["not-found", 404, "DeploymentNotFound"],
    ["rejected", 400, "invalid_value"],
    ["timeout", 408, "Timeout"],
    ["too-large", 413, null],
    ["rate-limited", 429, "429"],
    ["server-error", 500, null],
    ["unavailable", 503, "ServiceUnavailable"],
    ["content-filter-prompt", 400, "content_filter"],
    ["context-length", 400, "context_length_exceeded"],
  ];
  it.each(errors)("answers %s with %d and its code, streamed or not", async (fault, status, code) => {
    await withStandIn({}, async (standIn) => {
      for (const body of [spokenRequest(), streamRequest()]) {
        expect(await readError(await post(standIn, body, byName(fault)))).toMatchObject({ status, code });
      }
    });
  });

  it("answers a refused token with a body without `error`", async () => {
    await withStandIn({}, async (standIn) => {
      const response = await post(standIn, spokenRequest(), byName("unauthorized;shape=token"));
      expect(await response.json()).toMatchObject({
        statusCode: 401,
        message: expect.stringContaining("Access token"),
      });
    });
  });

  it("tells when to come back in both headers", async () => {
    await withStandIn({}, async (standIn) => {
      const { headers } = await post(standIn, spokenRequest(), byName("rate-limited;retryAfterMs=1500"));
      expect([headers.get("retry-after"), headers.get("retry-after-ms")]).toEqual(["2", "1500"]);
      const quota = await post(standIn, spokenRequest(), byName("rate-limited;quota=true"));
      expect(quota.headers.get("retry-after")).toBe("86400");
      expect((await readError(quota)).message).toContain("retry after 86400 seconds");
    });
  });

  it("says which filter the prompt met", async () => {
    await withStandIn({}, async (standIn) => {
      const response = await post(standIn, spokenRequest(), byName("content-filter-prompt"));
      const hate = { filtered: true, severity: "high" };
      expect((await readError(response)).innererror).toMatchObject({
        code: "ResponsibleAIPolicyViolation",
        content_filter_result: { hate },
      });
    });
  });
});

describe("a fault that spoils the answer", () => {
  it("filters a stream after some words and sound: no end but finish_reason content_filter", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "content-filter-answer" });
      const answer = collect(await readChunks(await post(standIn, streamRequest())));
      expect(answer.finishReasons).toEqual(["content_filter"]);
      expect([answer.transcript, answer.pcm.byteLength > 0, answer.expiresAt]).toEqual([
        "one two three",
        true,
        null,
      ]);
    });
  });

  it("filters a whole answer and holds back its words", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "content-filter-answer" });
      const { finishReason, audio, content } = await readWhole(await post(standIn, spokenRequest()));
      expect([finishReason, audio, content]).toEqual(["content_filter", undefined, null]);
    });
  });

  it("cuts a stream after some words and sound", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "cut" });
      const received = await readUntilCut(await post(standIn, streamRequest()));
      const chunks = received
        .split("\n\n")
        .slice(0, -1)
        .map((event) => parseChunk(event.replace("data: ", "")));
      expect(collect(chunks)).toMatchObject({ transcript: "one two three", expiresAt: null });
      expect(collect(chunks).pcm.byteLength).toBe(19_200);
      expect(await standIn.requests[0]?.ended).toBe("failed");
    });
  });

  it("cuts a whole answer in the middle of its body, or any before its headers", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "cut" }, { name: "cut", at: "before-headers" });
      const received = await readUntilCut(await post(standIn, spokenRequest()));
      expect(received.length).toBeGreaterThan(1000);
      expect(() => void JSON.parse(received)).toThrow();
      await expect(post(standIn, spokenRequest())).rejects.toThrow();
    });
  });

  it("ends a stream with an error in it", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "stream-error" });
      const events = await readEvents(await post(standIn, streamRequest()));
      expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ error: { type: "server_error" } });
    });
  });

  it.each([streamRequest(), spokenRequest()])(
    "stalls after its headers until the client hangs up",
    async (body) => {
      await withStandIn({}, async (standIn) => {
        standIn.failNext({ name: "stall" });
        await expectStall(standIn, body);
      });
    },
  );

  it("stalls after the first sound", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "stall", at: "after-audio" });
      const client = new AbortController();
      const response = await post(standIn, streamRequest(), { signal: client.signal });
      const received = await readUntilCut(response, (text) => {
        if (text.includes('"data":"')) client.abort();
      });
      expect(received).not.toContain("expires_at");
      expect(await standIn.requests[0]?.ended).toBe("disconnected");
    });
  });

  it("stalls before any header", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "stall", at: "before-headers" });
      const pause = standIn.pauseNext("before-answer");
      const client = new AbortController();
      const response = post(standIn, spokenRequest(), { signal: client.signal });
      pause.release();
      const recorded = await pause.reached;
      client.abort();
      await expect(response).rejects.toMatchObject({ name: "AbortError" });
      expect([await recorded.ended, recorded.status]).toEqual(["disconnected", null]);
    });
  });

  it("answers in text although sound was asked for", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "audio-missing" }, { name: "audio-missing" });
      const streamed = collect(await readChunks(await post(standIn, streamRequest())));
      expect(streamed).toMatchObject({ text: "one two three", finishReasons: ["stop"], audioIds: [] });
      const whole = await readWhole(await post(standIn, spokenRequest()));
      expect([whole.content, whole.audio]).toEqual(["one two three", undefined]);
    });
  });

  it("names an audio id without sound or words", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.setFault({ name: "audio-missing", variant: "no-data" });
      const streamed = collect(await readChunks(await post(standIn, streamRequest())));
      expect([streamed.audioIds.length, streamed.transcript, streamed.pcm.byteLength]).toEqual([1, "", 0]);
      const whole = await readWhole(await post(standIn, spokenRequest()));
      expect(whole.audio).toMatchObject({ data: "", transcript: "" });
    });
  });

  it("refuses to answer, in words of their own", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.setFault({ name: "refusal" });
      const whole = await readWhole(await post(standIn, spokenRequest()));
      expect(whole).toMatchObject({ content: null, refusal: expect.stringContaining("can't assist") });
      const chunks = await readChunks(await post(standIn, streamRequest()));
      expect(chunks.map((chunk) => chunk.choices?.[0]?.delta?.refusal ?? "").join("")).toBe(whole.refusal);
    });
  });

  it("loses the audio id of a request that has one, and no other's", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.setFault({ name: "audio-id-expired" });
      const { audio } = await readSpoken(await post(standIn, spokenRequest()));
      const messages = [
        { role: "user", content: "Hello" },
        { role: "assistant", audio: { id: audio.id } },
        { role: "user", content: "And?" },
      ];
      const lost = await readError(await post(standIn, spokenRequest({ messages })));
      expect(lost).toMatchObject({ code: "audio_not_found", param: "content.messages[1].audio.id" });
      standIn.setFault(null);
      expect((await post(standIn, spokenRequest({ messages }))).status).toBe(200);
    });
  });
});

describe("faults in line", () => {
  it("are met in order, one request each, before the standing one", async () => {
    await withStandIn({ fault: { name: "forbidden" } }, async (standIn) => {
      standIn.failNext({ name: "server-error" }, { name: "unavailable" });
      const statuses: number[] = [];
      for (let count = 0; count < 3; count += 1) statuses.push((await post(standIn, spokenRequest())).status);
      statuses.push((await post(standIn, spokenRequest(), byName("timeout"))).status);
      standIn.setFault(null);
      statuses.push((await post(standIn, spokenRequest())).status);
      expect(statuses).toEqual([500, 503, 403, 408, 200]);
      expect(standIn.requests.map(({ fault }) => fault?.name ?? null)).toEqual([
        "server-error",
        "unavailable",
        "forbidden",
        "timeout",
        null,
      ]);
    });
  });

  it("are not used up by a request without credentials", async () => {
    await withStandIn({}, async (standIn) => {
      standIn.failNext({ name: "server-error" });
      const nobody = await post(standIn, spokenRequest(), { headers: { "api-key": "" } });
      expect(await readError(nobody)).toMatchObject({ status: 401, code: "401" });
      expect((await post(standIn, spokenRequest())).status).toBe(500);
    });
  });

  it("asked for by an unknown name are told in the answer", async () => {
    await withStandIn({}, async (standIn) => {
      const refused = await readError(await post(standIn, spokenRequest(), byName("meteor")));
      expect(refused).toMatchObject({ status: 400, param: "x-stand-in-fault" });
    });
  });
});

describe("parseFault", () => {
  const texts: [text: string, fault: Fault][] = [
    ["stall", { name: "stall" }],
    [" stall ; at = after-audio ", { name: "stall", at: "after-audio" }],
    ["rate-limited;retryAfterMs=250;quota=false", { name: "rate-limited", retryAfterMs: 250, quota: false }],
    ["audio-missing;variant=no-data", { name: "audio-missing", variant: "no-data" }],
  ];
  it.each(texts)("reads %j", (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  it.each(["", "meteor", "stall;at=noon", "cut;retryAfterMs=1", "rate-limited;retryAfterMs=soon"])(
    "refuses %j and says what there is",
    (text) => {
      expect(() => parseFault(text)).toThrow(FaultSyntaxError);
    },
  );

  it("knows every name that it lists", () => {
    expect(faultNames.map((name) => parseFault(name).name)).toEqual(faultNames);
    expect(faultNames.length).toBeGreaterThan(15);
  });
});

/** Hangs up once the headers are there. */
async function expectStall(standIn: StandIn, body: unknown): Promise<void> {
  const client = new AbortController();
  const response = await post(standIn, body, { signal: client.signal });
  expect(response.status).toBe(200);
  client.abort();
  await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
  expect(await standIn.requests[0]?.ended).toBe("disconnected");
}

/** What came until the connection was closed, by either side; `watch` sees all that has come each time. */
async function readUntilCut(
  response: Response,
  watch: (text: string) => void = () => undefined,
): Promise<string> {
  const decoder = new TextDecoder();
  // Nothing between: fetch throws away what nobody has taken when the connection breaks.
  const body: ReadableStream<Uint8Array> | null = response.body;
  const reader = body?.getReader();
  let received = "";
  const read = async () => {
    for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
      received += decoder.decode(next.value, { stream: true });
      watch(received);
    }
  };
  await expect(read()).rejects.toThrow();
  return received;
}
