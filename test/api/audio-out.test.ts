import { describe, expect, it } from "@jest/globals";
import { askByText, startedConversation } from "../helpers/operations.js";
import type { Clip } from "../helpers/operations.js";
import { sharedParley } from "../helpers/parley.js";
import type { TestParley } from "../helpers/parley.js";
import { download, sha256Of } from "../helpers/sound.js";

async function spoken(parley: TestParley): Promise<Clip> {
  const turn = await askByText(parley, await startedConversation(parley), "Hello");
  const clip = turn.assistantMessage?.audio;
  if (clip == null) throw new Error("the answer has no sound");
  return clip;
}

describe("The sound of an answer", () => {
  const shared = sharedParley("sqlite");

  it("is served whole, as its clip tells it", async () => {
    const clip = await spoken(shared());
    expect(clip.url).toBe(`${shared().url}/audio/${clip.id}.wav`);
    const response = await fetch(clip.url);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.status).toBe(200);
    expect(bytes.byteLength).toBe(clip.byteLength);
    expect(sha256Of(bytes)).toBe(clip.sha256);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "audio/wav",
      "content-length": String(clip.byteLength),
      "accept-ranges": "bytes",
      etag: `"${clip.sha256}"`,
      "x-content-type-options": "nosniff",
    });
    expect(response.headers.get("cache-control")).toContain("private");
    const query = "query ($id: ID!) { node(id: $id) { ... on AudioClip { base64 } } }";
    const { node } = await shared().ask<{ node: { base64: string } }>(query, { id: clip.id });
    expect(sha256Of(Buffer.from(node.base64, "base64"))).toBe(clip.sha256);
  });

  it("tells everything but its bytes to HEAD", async () => {
    const clip = await spoken(shared());
    const [got, head] = [await fetch(clip.url), await fetch(clip.url, { method: "HEAD" })];
    await got.arrayBuffer();
    expect([head.status, (await head.arrayBuffer()).byteLength]).toEqual([200, 0]);
    for (const name of ["content-type", "content-length", "accept-ranges", "etag", "last-modified"])
      expect(head.headers.get(name)).toBe(got.headers.get(name));
  });

  it("is served in parts, so that a player can seek", async () => {
    const clip = await spoken(shared());
    const whole = await download(clip);
    const size = clip.byteLength;
    const parts: [range: string, start: number, end: number][] = [
      ["bytes=0-0", 0, 0],
      ["bytes=44-99", 44, 99],
      ["bytes=100-", 100, size - 1],
      ["bytes=-10", size - 10, size - 1],
      [`bytes=-${size + 5}`, 0, size - 1],
      [`bytes=10-${size + 5}`, 10, size - 1],
    ];
    for (const [range, start, end] of parts) {
      const response = await fetch(clip.url, { headers: { range } });
      const bytes = Buffer.from(await response.arrayBuffer());
      expect([range, response.status]).toEqual([range, 206]);
      expect(response.headers.get("content-range")).toBe(`bytes ${start}-${end}/${size}`);
      expect(bytes.equals(whole.subarray(start, end + 1))).toBe(true);
    }
    for (const range of [`bytes=${size}-`, "bytes=-0"]) {
      const response = await fetch(clip.url, { headers: { range } });
      expect([range, response.status, response.headers.get("content-range")]).toEqual([
        range,
        416,
        `bytes */${size}`,
      ]);
      await response.arrayBuffer();
    }
    const stale = await fetch(clip.url, { headers: { range: "bytes=0-9", "if-range": '"other"' } });
    expect([stale.status, (await stale.arrayBuffer()).byteLength]).toEqual([200, size]);
  });

  it("isn't sent again to who has it", async () => {
    const clip = await spoken(shared());
    for (const tag of [`"${clip.sha256}"`, `W/"${clip.sha256}"`, `"other", "${clip.sha256}"`, "*"]) {
      const response = await fetch(clip.url, { headers: { "if-none-match": tag } });
      expect([tag, response.status, (await response.arrayBuffer()).byteLength]).toEqual([tag, 304, 0]);
      expect(response.headers.get("etag")).toBe(`"${clip.sha256}"`);
    }
    const other = await fetch(clip.url, { headers: { "if-none-match": '"other"' } });
    expect([other.status, (await other.arrayBuffer()).byteLength]).toEqual([200, clip.byteLength]);
  });

  it("becomes a download where one is asked for, under a name that is safe", async () => {
    const clip = await spoken(shared());
    const names: [query: string, disposition: string | null][] = [
      ["", null],
      ["?download=", `attachment; filename="${clip.id}.wav"`],
      ["?download=dogs.wav", 'attachment; filename="dogs.wav"'],
      ["?download=../../etc/dogs.wav", 'attachment; filename="dogs.wav"'],
      ["?download=a%0d%0aset-cookie:b.wav", 'attachment; filename="aset-cookie:b.wav"'],
    ];
    for (const [query, disposition] of names) {
      const response = await fetch(clip.url + query);
      await response.arrayBuffer();
      expect([query, response.headers.get("content-disposition")]).toEqual([query, disposition]);
    }
  });

  it("is NOT_FOUND for an id or a file name that is not there", async () => {
    const clip = await spoken(shared());
    const paths = [
      `${clip.id}.mp3`,
      `${clip.id}.wav.wav`,
      `${clip.id}/`,
      "clip_01K00000000000000000000000.wav",
      "",
      "%00",
      "..%2f..%2fparley.db",
      "%ff",
      "x".repeat(5_000),
    ];
    for (const path of paths) {
      const response = await fetch(`${shared().url}/audio/${path}`);
      const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
      const expected = path === "%ff" ? [400, "BAD_REQUEST"] : [404, "NOT_FOUND"];
      expect([path, response.status, errors[0]?.extensions.code]).toEqual([path, ...expected]);
    }
  });

  it("can only be read", async () => {
    const clip = await spoken(shared());
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const response = await fetch(clip.url, { method });
      expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, "GET, HEAD"]);
      await response.arrayBuffer();
    }
  });
});
