import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { ChatMessage, ChatRequest } from "../../src/stand-in/checks/chat-request.js";
import { fitPiece, fitText, nothingSpoken } from "../../src/stand-in/answers/budget.js";
import { composeWords } from "../../src/stand-in/words/compose.js";
import { splitIntoPieces, splitIntoWords } from "../../src/stand-in/speech/pieces.js";

const user = (text: string, ...durationsMs: number[]): ChatMessage => ({
  role: "user",
  text,
  clips: durationsMs.map((durationMs) => ({ format: "wav", bytes: new Uint8Array(1), durationMs })),
  spoken: null,
});
const said = (text: string): ChatMessage => ({ role: "assistant", text, clips: [], spoken: null });
const system = (text: string): ChatMessage => ({ role: "system", text, clips: [], spoken: null });

function answerTo(...messages: ChatMessage[]): string {
  const request: ChatRequest = {
    deployment: "d",
    messages,
    output: { kind: "text" },
    stream: false,
    includeUsage: false,
    includeObfuscation: true,
    maxTokens: null,
  };
  return composeWords(request);
}

const dogs = [user("Is a golden retriever a good family dog?"), said("Yes. It is friendly.")];

describe("the words of an answer", () => {
  const answers: [question: string, messages: ChatMessage[], expected: RegExp][] = [
    [
      "the quickstart's question",
      [user("Is a golden retriever a good family dog?")],
      /^Yes\. A golden retriever is a good family dog/,
    ],
    [
      "the quickstart's summary",
      [...dogs, user("Very concisely summarize the favorability.")],
      /^Very favorable: /,
    ],
    [
      "another summary",
      [user("Why?"), said("Because. And so on."), user("Give me a summary.")],
      /^In short: Because\.$/,
    ],
    [
      "an unknown question",
      [user("Where is Rome?")],
      /^You asked "Where is Rome\?"\. I am Parley's stand-in/,
    ],
    [
      "a follow-up",
      [...dogs, user("Go on.")],
      /Earlier you asked "Is a golden .*", and I said "Yes\. It is friendly\."\. This is turn 2/,
    ],
    [
      "the first question",
      [...dogs, user("Ok."), said("Fine."), user("What did I ask first?")],
      /^First you asked "Is a golden retriever/,
    ],
    [
      "what was just said",
      [...dogs, user("What did you say?")],
      /^You asked ".*", and I said "Yes\. It is friendly\."\.$/,
    ],
    [
      "the number of turns",
      [...dogs, user("How many turns is this?")],
      /^This is turn 2 of our conversation, so 1 came before/,
    ],
    [
      "a name told earlier",
      [user("My name is Zoë."), said("Hi."), user("What is my name?")],
      /^Your name is Zoë\./,
    ],
    ["a name never told", [user("What is my name?")], /have not told me/],
    ["words to say", [user("Say the exact word 'hello' and nothing else.")], /^hello$/],
    ["counting", [user("Count to 12")], /^1, 2, 3, 4, 5, 6, 7, 8, 9, 10\. 11, 12\.$/],
    [
      "sound",
      [user("", 2400)],
      /^I received a spoken message of 2\.4 seconds, but I am Parley's stand-in and cannot hear yet\.$/,
    ],
    ["sound with text", [user("Describe it.", 1000)], /1\.0 seconds, .*With it you wrote "Describe it\."\./],
    [
      "sound earlier on",
      [user("", 4200), said("A clip."), user("And?")],
      /Earlier you sent a spoken message of 4\.2 seconds, and I said "A clip\."/,
    ],
    ["instructions", [system("Be brief."), user("Where is Rome?")], /My instructions are "Be brief\."\./],
    ["a failed turn", [user("One?"), user("Two?")], /Earlier you asked "One\?", and I gave no answer\./],
    ["nothing", [said("Hello?")], /^You said nothing\./],
  ];
  it.each(answers)("answer %s", (_question, messages, expected) => {
    expect(answerTo(...messages)).toMatch(expected);
  });

  it("are never empty, always the same, and short however long the conversation is", () => {
    const message = fc.oneof(
      fc
        .tuple(fc.string({ unit: "grapheme", maxLength: 3000 }), fc.array(fc.nat(60_000), { maxLength: 2 }))
        .map(([text, clips]) => user(text, ...clips)),
      fc.string({ maxLength: 3000 }).map(said),
      fc.string({ maxLength: 3000 }).map(system),
    );
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 12 }), (messages) => {
        const words = answerTo(...messages);
        expect(words.trim()).not.toBe("");
        expect(words).toBe(answerTo(...messages));
        expect(words.length).toBeLessThan(6000);
      }),
    );
  });
});

describe("the pieces of a text", () => {
  it("joined are the text, each short unless it is one word", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b ", ". ", "? ", "\n", "é", " "), maxLength: 900 }),
        (text) => {
          const pieces = splitIntoPieces(text);
          expect(pieces.join("")).toBe(text);
          for (const piece of pieces)
            expect(piece.length <= 160 || splitIntoWords(piece).length === 1).toBe(true);
        },
      ),
    );
  });

  it("end with the sentence", () => {
    expect(splitIntoPieces("Yes. It is. Why not?")).toEqual(["Yes. ", "It is. ", "Why not?"]);
  });
});

describe("the limit of tokens", () => {
  const piece = fc.record({ words: fc.string({ maxLength: 200 }), seconds: fc.integer({ min: 0, max: 20 }) });

  it("is never passed, and reached exactly where it cuts", () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 800 }),
        (pieces, maxTokens) => {
          let spoken = nothingSpoken;
          let sentBytes = 0;
          for (const { words, seconds } of pieces) {
            const fitted = fitPiece(spoken, { words, pcm: new Uint8Array(seconds * 48_000) }, maxTokens);
            spoken = fitted.spoken;
            sentBytes += fitted.piece.pcm.byteLength;
            expect(words.startsWith(fitted.piece.words)).toBe(true);
            expect(fitted.piece.pcm.byteLength % 2).toBe(0);
            const cost = spoken.tokens.text + spoken.tokens.audio;
            expect(fitted.isCut ? cost === maxTokens : cost <= maxTokens).toBe(true);
            if (fitted.isCut) break;
          }
          expect(spoken.pcmBytes).toBe(sentBytes);
        },
      ),
    );
  });

  it("cuts a text between words", () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 40 }), fc.integer({ min: 1, max: 100 }), (text, maxTokens) => {
        const fitted = fitText(text, maxTokens);
        expect(text.startsWith(fitted.text)).toBe(true);
        expect(fitted.isCut).toBe(fitted.text !== text);
        expect(fitted.tokens).toBeLessThanOrEqual(maxTokens);
      }),
    );
  });
});
