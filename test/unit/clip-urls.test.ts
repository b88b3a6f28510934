import { describe, expect, it } from "@jest/globals";

import { clipUrls } from "../../web/explorer/clip-urls.js";

const clip = (url: unknown) => ({ audio: { url } });

describe("the clips that GraphiQL offers to play", () => {
  it.each([
    ["a turn", { data: { turn: { assistantMessage: clip("http://127.0.0.1:4000/audio/1") } } }, ["/audio/1"]],
    ["a list, in its order", { data: { nodes: [clip("http://a/2"), clip("http://a/1")] } }, ["/2", "/1"]],
    ["the same clip twice", { data: [clip("http://a/1"), clip("http://a/1")] }, ["/1"]],
    [
      "an origin that is not the page's",
      { data: clip("https://media.example/audio/1?t=2") },
      ["/audio/1?t=2"],
    ],
    ["no sound", { data: { turn: { assistantMessage: { audio: null } } } }, []],
    ["no URL", { data: clip("not a URL") }, []],
    ["an object under that name", { data: { url: clip("http://a/3") } }, ["/3"]],
    ["an error", { errors: [{ message: "http://a/1" }], data: null }, []],
    ["nothing", null, []],
  ])("are found in %s", (_case, answer, expected) => {
    expect(clipUrls(answer)).toEqual(expected);
  });
});
