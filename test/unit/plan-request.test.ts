import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { messageTokens, textTokens, userSoundTokens } from "../../src/services/history/estimate.js";
import { isUsable, leastTokens, planRequest } from "../../src/services/history/plan-request.js";
import type {
  AssistantSound,
  HistoryTurn,
  RequestFacts,
  UserSound,
} from "../../src/services/history/types.js";

const now = new Date("2026-11-22T12:00:00Z");
const inAnHour = new Date("2026-11-22T13:00:00Z");

const sound = (more: Partial<UserSound> = {}): UserSound => ({
  storageKey: "conv_1/clip_1.wav",
  format: "wav",
  byteLength: 48_044,
  durationMs: 1_000,
  ...more,
});

const spoken = (more: Partial<AssistantSound> = {}): AssistantSound => ({
  clipId: "clip_2",
  providerAudioId: "audio_1",
  providerAudioExpiresAt: inAnHour,
  dead: false,
  endpoint: "https://a.example",
  deployment: "voice",
  byteLength: 96_044,
  durationMs: 2_000,
  ...more,
});

const turn = (more: Partial<HistoryTurn> = {}): HistoryTurn => ({
  status: "COMPLETED",
  user: { text: "Is it big?", transcript: null, sound: null },
  assistant: { text: null, transcript: "It is.", sound: spoken() },
  ...more,
});

const facts = (more: Partial<RequestFacts> = {}): RequestFacts => ({
  instructions: null,
  turns: [],
  olderTurns: 0,
  message: { text: "And now?", sound: null },
  replyWithSound: true,
  now,
  endpoint: "https://a.example",
  deployment: "voice",
  bounds: { maxTokens: 100_000, maxAudioBytes: 20_971_520 },
  withoutAudioIds: false,
  lostSound: new Set<string>(),
  ...more,
});

const newMessage = { role: "user", text: "And now?", sound: null };

describe("What the model is sent", () => {
  it("begins with the instructions and ends with the new message", () => {
    const { messages } = planRequest(facts({ instructions: "Be brief.", turns: [turn()] }));
    expect(messages).toEqual([
      { role: "system", text: "Be brief." },
      { role: "user", text: "Is it big?", sound: null },
      { role: "assistant", providerAudioId: "audio_1", clipId: "clip_2" },
      newMessage,
    ]);
  });

  const heard = { text: null, transcript: "It is." };
  it.each<[string, Partial<AssistantSound>, Partial<RequestFacts>]>([
    ["has expired", { providerAudioExpiresAt: now }, {}],
    ["is about to expire", { providerAudioExpiresAt: new Date(now.getTime() + 10_000) }, {}],
    ["has no known expiry", { providerAudioExpiresAt: null }, {}],
    ["is marked dead", { dead: true }, {}],
    ["was made by another endpoint", { endpoint: "https://b.example" }, {}],
    ["was made by another deployment", { deployment: "other" }, {}],
    ["was never told", { providerAudioId: null }, {}],
    ["lives, but the request goes without ids", {}, { withoutAudioIds: true }],
  ])("says an earlier answer by its transcript where its audio id %s", (_case, of, more) => {
    const { messages } = planRequest(
      facts({ turns: [turn({ assistant: { ...heard, sound: spoken(of) } })], ...more }),
    );
    expect(messages[1]).toEqual({ role: "assistant", text: "It is." });
  });

  it("says a text answer as text", () => {
    const answer = { text: "In words.", transcript: null, sound: null };
    expect(planRequest(facts({ turns: [turn({ assistant: answer })] })).messages[1]).toEqual({
      role: "assistant",
      text: "In words.",
    });
  });

  it("says the words so far of a cancelled turn as text, never by its audio id", () => {
    const { messages } = planRequest(facts({ turns: [turn({ status: "CANCELLED" })] }));
    expect(messages[1]).toEqual({ role: "assistant", text: "It is." });
  });

  it("leaves a cancelled turn without words out, and does not count it as omitted", () => {
    const wordless = turn({
      status: "CANCELLED",
      assistant: { text: null, transcript: null, sound: spoken() },
    });
    const plan = planRequest(facts({ turns: [wordless, turn({ status: "CANCELLED", assistant: null })] }));
    expect(plan.messages).toEqual([newMessage]);
    expect(plan.omittedTurns).toBe(0);
  });

  it("sends earlier user sound again while it fits, the newest first", () => {
    const turns = [1, 2, 3].map((number) =>
      turn({
        user: { text: null, transcript: null, sound: sound({ storageKey: `conv_1/clip_${number}.wav` }) },
      }),
    );
    const bounds = { maxTokens: 100_000, maxAudioBytes: 2 * 48_044 };
    const users = planRequest(facts({ turns, bounds })).messages.filter((message) => message.role === "user");
    expect(users.map((message) => message.sound?.storageKey ?? message.text)).toEqual([
      "[spoken message, 0:01]",
      "conv_1/clip_2.wav",
      "conv_1/clip_3.wav",
      "And now?",
    ]);
  });

  it.each([
    [null, 42_000, "[spoken message, 0:42]"],
    [null, 605_000, "[spoken message, 10:05]"],
    ["What about cats?", 42_000, "What about cats?"],
  ])(
    "puts transcript %p of a %p ms clip as %p where its sound is not sent",
    (transcript, durationMs, words) => {
      const user = { text: "Listen:", transcript, sound: sound({ durationMs }) };
      const bounds = { maxTokens: 100_000, maxAudioBytes: 0 };
      expect(planRequest(facts({ turns: [turn({ user })], bounds })).messages[0]).toEqual({
        role: "user",
        text: `Listen:\n\n${words}`,
        sound: null,
      });
    },
  );

  it("leaves the oldest whole turns out above the bound of tokens and tells how many", () => {
    const answer = { text: "y".repeat(400), transcript: null, sound: null };
    const user = { text: "x".repeat(400), transcript: null, sound: null };
    const turns = Array.from({ length: 10 }, () => turn({ user, assistant: answer }));
    const each = 2 * messageTokens("x".repeat(400));
    const bounds = { maxTokens: messageTokens("And now?") + 3 * each, maxAudioBytes: 0 };
    const plan = planRequest(facts({ turns, bounds, olderTurns: 5 }));
    expect(plan.messages).toHaveLength(7);
    expect(plan.omittedTurns).toBe(12);
  });

  it("counts an answer that is referred to by its length, and by its bytes where that can't be told", () => {
    const tokens = (more: Partial<AssistantSound>) => {
      const assistant = { text: null, transcript: "It is.", sound: spoken(more) };
      return planRequest(facts({ turns: [turn({ assistant })] })).estimate.audioTokens;
    };
    expect(tokens({ durationMs: 2_000 })).toBe(40);
    // At 8 kbps these are 30 seconds.
    expect(tokens({ durationMs: null, byteLength: 30_000 })).toBe(600);
  });

  describe("by the model's audio rule", () => {
    const textReply = { replyWithSound: false };
    it("asks for sound and drops it where a text reply has no user sound before it", () => {
      expect(planRequest(facts({ ...textReply, turns: [turn()] }))).toMatchObject({
        askForSound: true,
        dropSound: true,
      });
    });

    it("asks for text alone while an earlier user sound is sent", () => {
      const turns = [turn({ user: { text: null, transcript: null, sound: sound() } })];
      expect(planRequest(facts({ ...textReply, turns }))).toMatchObject({
        askForSound: false,
        dropSound: false,
      });
    });

    it("asks for sound where the only user sound had to become its transcript", () => {
      const turns = [turn({ user: { text: null, transcript: "Hello", sound: sound() } })];
      const bounds = { maxTokens: 100_000, maxAudioBytes: 10 };
      expect(planRequest(facts({ ...textReply, turns, bounds }))).toMatchObject({
        askForSound: true,
        dropSound: true,
      });
    });
  });
});

const words = fc.option(fc.string({ minLength: 1, maxLength: 200 }), { nil: null });
const userSounds = fc.record({
  storageKey: fc.constant("conv_1/clip_1.wav"),
  format: fc.constantFrom("wav" as const, "mp3" as const),
  byteLength: fc.integer({ min: 1, max: 50_000 }),
  durationMs: fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: null }),
});
const assistantSounds = fc.record({
  clipId: fc.constant("clip_2"),
  providerAudioId: fc.option(fc.constantFrom("audio_1", "audio_2"), { nil: null }),
  providerAudioExpiresAt: fc.option(
    fc.date({
      min: new Date(now.getTime() - 100_000),
      max: new Date(now.getTime() + 100_000),
      noInvalidDate: true,
    }),
    { nil: null },
  ),
  dead: fc.boolean(),
  endpoint: fc.constantFrom("https://a.example", "https://b.example"),
  deployment: fc.constantFrom("voice", "other"),
  byteLength: fc.integer({ min: 1, max: 50_000 }),
  durationMs: fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: null }),
});
const turns = fc.record({
  status: fc.constantFrom("COMPLETED" as const, "CANCELLED" as const),
  user: fc.record({ text: words, transcript: words, sound: fc.option(userSounds, { nil: null }) }),
  assistant: fc.option(
    fc.record({ text: words, transcript: words, sound: fc.option(assistantSounds, { nil: null }) }),
    { nil: null },
  ),
});
const anyFacts = fc.record({
  instructions: words,
  turns: fc.array(turns, { maxLength: 30 }),
  olderTurns: fc.nat(10),
  message: fc.oneof(
    fc.record({ text: fc.string({ minLength: 1 }), sound: fc.constant(null) }),
    fc.record({ text: words, sound: userSounds }),
  ),
  replyWithSound: fc.boolean(),
  now: fc.constant(now),
  endpoint: fc.constant("https://a.example"),
  deployment: fc.constant("voice"),
  bounds: fc.record({ maxTokens: fc.nat(3_000), maxAudioBytes: fc.nat(120_000) }),
  withoutAudioIds: fc.boolean(),
  lostSound: fc.constantFrom(new Set<string>(), new Set(["conv_1/clip_1.wav"])),
});

describe("Whatever a conversation holds", () => {
  it("the instructions and the new message are always sent", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { messages } = planRequest(given);
        expect(messages.at(-1)).toEqual({ role: "user", ...given.message });
        if (given.instructions !== null)
          expect(messages[0]).toEqual({ role: "system", text: given.instructions });
      }),
    );
  });

  it("the history stays within the bounds of tokens and of user sound", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { messages, estimate } = planRequest(given);
        const history = messages.slice(given.instructions === null ? 0 : 1, -1);
        const bytes = history.reduce(
          (sum, sent) => sum + (sent.role === "user" ? (sent.sound?.byteLength ?? 0) : 0),
          0,
        );
        expect(bytes).toBeLessThanOrEqual(given.bounds.maxAudioBytes);
        if (history.length > 0) {
          expect(estimate.textTokens + estimate.audioTokens).toBeLessThanOrEqual(given.bounds.maxTokens);
        }
      }),
    );
  });

  it("no expired, dead or foreign audio id is sent, and none of a cancelled turn", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const living = given.turns.filter(({ status, assistant }) => {
          const audio = assistant?.sound;
          return (
            status === "COMPLETED" &&
            !given.withoutAudioIds &&
            audio != null &&
            !audio.dead &&
            audio.endpoint === given.endpoint &&
            audio.deployment === given.deployment &&
            (audio.providerAudioExpiresAt?.getTime() ?? 0) > now.getTime()
          );
        });
        const allowed = new Set(living.map(({ assistant }) => assistant?.sound?.providerAudioId));
        for (const sent of planRequest(given).messages) {
          if ("providerAudioId" in sent) expect(allowed).toContain(sent.providerAudioId);
        }
      }),
    );
  });

  it("the model's audio rule is kept: there is user sound, or sound is asked for", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { messages, askForSound, dropSound } = planRequest(given);
        const hasSound = messages.some((sent) => sent.role === "user" && sent.sound !== null);
        expect(hasSound || askForSound).toBe(true);
        expect(askForSound).toBe(given.replyWithSound || dropSound);
      }),
    );
  });

  it("no turn costs less than what is counted on when history is read", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const unbounded = { ...given, bounds: { maxTokens: 1e9, maxAudioBytes: given.bounds.maxAudioBytes } };
        const tokensOf = ({ estimate }: ReturnType<typeof planRequest>) =>
          estimate.textTokens + estimate.audioTokens;
        const history = tokensOf(planRequest(unbounded)) - tokensOf(planRequest({ ...unbounded, turns: [] }));
        const least = given.turns.filter(isUsable).reduce((sum, each) => sum + leastTokens(each), 0);
        expect(least).toBeLessThanOrEqual(history);
      }),
    );
  });

  it("roles alternate between user and assistant, and every usable turn is either sent or counted", () => {
    fc.assert(
      fc.property(anyFacts, (given) => {
        const { messages, omittedTurns } = planRequest(given);
        const spokenRoles = messages.map(({ role }) => role).filter((role) => role !== "system");
        expect(spokenRoles).toEqual(
          spokenRoles.map((_role, index) => (index % 2 === 0 ? "user" : "assistant")),
        );
        const unbounded = planRequest({ ...given, bounds: { maxTokens: 1e9, maxAudioBytes: 1e9 } });
        const usable = unbounded.messages.filter(({ role }) => role === "assistant").length;
        expect(messages.filter(({ role }) => role === "assistant").length + omittedTurns).toBe(
          usable + given.olderTurns,
        );
      }),
    );
  });
});

describe("The estimate of tokens", () => {
  it("counts four ASCII characters a token and every other character as one", () => {
    expect([
      textTokens(""),
      textTokens("abcd"),
      textTokens("abcde"),
      textTokens("猫と犬"),
      textTokens("🐕"),
    ]).toEqual([0, 1, 2, 3, 1]);
  });

  it("counts user sound at 10 tokens a second", () => {
    expect([userSoundTokens(1_000), userSoundTokens(1_050), userSoundTokens(60_000)]).toEqual([10, 11, 600]);
  });
});
