import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ConfigError } from "../../src/config/config.js";
import type { Config } from "../../src/config/config.js";
import { readSettings } from "../../src/config/env.js";
import type { Env } from "../../src/config/env.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { settingNames } from "../../src/config/setting-names.js";
import { warningsAbout } from "../../src/config/setting-warnings.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const azure = {
  AZURE_OPENAI_ENDPOINT: "https://example.openai.azure.com",
  AZURE_OPENAI_DEPLOYMENT_NAME: "gpt-audio-mini",
};

/** The mistakes that are told of the settings; none where they can be used. */
function mistakesIn(env: Env): readonly string[] {
  try {
    parseConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

function modelOf(env: Env): Record<string, unknown> {
  return { ...parseConfig(env).model };
}

describe("the settings", () => {
  it("have a default each", () => {
    const mebibytes20 = 20 * 1024 * 1024;
    expect(parseConfig({})).toMatchObject({
      production: false,
      http: {
        host: "127.0.0.1",
        port: 4000,
        publicUrl: null,
        corsOrigins: ["https://studio.apollographql.com"],
        introspection: true,
        explorers: true,
      },
      subscriptions: { maxPerSocket: 100, maxSocketsPerViewer: 1_000 },
      model: {
        provider: "stand-in",
        apiVersion: "2025-01-01-preview",
        idleTimeoutMs: 30_000,
        totalTimeoutMs: 300_000,
      },
      database: { kind: "sqlite", path: resolve("data", "parley.db") },
      dataDir: resolve("data"),
      voices: { default: "alloy" },
      audio: { maxBytes: mebibytes20, maxBase64Bytes: 4 * 1024 * 1024, urlTtlMs: 900_000 },
      history: { maxTokens: 100_000, maxAudioBytes: mebibytes20 },
      turns: { leaseMs: 30_000, shutdownGraceMs: 25_000 },
      replies: { maxTokens: null },
      prices: new Map(),
      budgets: null,
    });
  });

  it.each<[Env, (config: Config) => unknown, unknown]>([
    [{ DATA_DIR: "/srv/parley" }, ({ dataDir }) => dataDir, "/srv/parley"],
    [
      { DATA_DIR: "/srv/parley" },
      ({ database }) => database,
      { kind: "sqlite", path: "/srv/parley/parley.db" },
    ],
    [{ DATABASE_URL: "file:/srv/p.db" }, ({ database }) => database, { kind: "sqlite", path: "/srv/p.db" }],
    [{ DATABASE_URL: "file:///srv/p.db" }, ({ database }) => database, { kind: "sqlite", path: "/srv/p.db" }],
    [{ DATABASE_URL: "file:./p.db" }, ({ database }) => database, { kind: "sqlite", path: resolve("p.db") }],
    [
      { DATABASE_URL: "postgresql://u:p@db:5432/parley?sslmode=require" },
      ({ database }) => database,
      { kind: "postgresql", url: "postgresql://u:p@db:5432/parley?sslmode=require" },
    ],
    [
      { DATABASE_URL: "postgres://u@db/parley" },
      ({ database }) => database,
      { kind: "postgresql", url: "postgres://u@db/parley" },
    ],
    [{ HOST: "localhost" }, ({ http }) => http.host, "localhost"],
    [{ HOST: "127.0.0.2" }, ({ http }) => http.host, "127.0.0.2"],
    [{ HOST: "::1" }, ({ http }) => http.host, "::1"],
    // A listener takes the address as such, without the brackets of a URL.
    [{ HOST: "[::1]" }, ({ http }) => http.host, "::1"],
    [{ PORT: "0" }, ({ http }) => http.port, 0],
    [{ PORT: " 65535 " }, ({ http }) => http.port, 65_535],
    [
      { PUBLIC_URL: "https://parley.example.com/" },
      ({ http }) => http.publicUrl?.origin,
      "https://parley.example.com",
    ],
    [
      { CORS_ORIGINS: "https://a.example, http://localhost:5173 ," },
      ({ http }) => http.corsOrigins,
      ["https://a.example", "http://localhost:5173"],
    ],
    [{ EXTRA_VOICES: "nimbus, cirrus" }, ({ voices }) => voices.all.slice(-2), ["nimbus", "cirrus"]],
    [{ EXTRA_VOICES: "nimbus", DEFAULT_VOICE: "nimbus" }, ({ voices }) => voices.default, "nimbus"],
    [{ EXTRA_VOICES: "alloy" }, ({ voices }) => voices.all.filter((voice) => voice === "alloy"), ["alloy"]],
    [{ DEFAULT_VOICE: "shimmer" }, ({ voices }) => voices.default, "shimmer"],
    [{ MAX_AUDIO_BYTES: "5000" }, ({ audio }) => [audio.maxBytes, audio.maxBase64Bytes], [5_000, 5_000]],
    [{ AUDIO_URL_TTL_MS: "86400000" }, ({ audio }) => audio.urlTtlMs, 86_400_000],
    [{ HISTORY_MAX_TOKENS: "7" }, ({ history }) => history.maxTokens, 7],
    [{ HISTORY_MAX_AUDIO_BYTES: "0" }, ({ history }) => history.maxAudioBytes, 0],
    [{ MODEL_IDLE_TIMEOUT_MS: "1000" }, ({ model }) => model.idleTimeoutMs, 1_000],
    [{ MODEL_TOTAL_TIMEOUT_MS: "2000" }, ({ model }) => model.totalTimeoutMs, 2_000],
    [{ MAX_SUBSCRIPTIONS_PER_SOCKET: "1" }, ({ subscriptions }) => subscriptions.maxPerSocket, 1],
    [{ MAX_SOCKETS_PER_VIEWER: "9" }, ({ subscriptions }) => subscriptions.maxSocketsPerViewer, 9],
    [{ MAX_REPLY_TOKENS: "500" }, ({ replies }) => replies.maxTokens, 500],
    // With a budget every answer has a bound.
    [{ BUDGET_VIEWER_DAY_USD: "1" }, ({ replies }) => replies.maxTokens, 4_096],
    [{ BUDGET_VIEWER_DAY_USD: "1", MAX_REPLY_TOKENS: "500" }, ({ replies }) => replies.maxTokens, 500],
    [
      { BUDGET_VIEWER_DAY_USD: "0.000001", BUDGET_TENANT_MONTH_USD: "1000000000" },
      ({ budgets }) => budgets,
      { viewer: { day: 1, month: null }, tenant: { day: null, month: 1e15 } },
    ],
    [
      { BUDGET_VIEWER_MONTH_USD: "12.5", BUDGET_TENANT_DAY_USD: "0.29" },
      ({ budgets }) => budgets,
      { viewer: { day: null, month: 12_500_000 }, tenant: { day: 290_000, month: null } },
    ],
    [{ LEASE_MS: "1000" }, ({ turns }) => turns.leaseMs, 1_000],
    [{ SHUTDOWN_GRACE_MS: "0" }, ({ turns }) => turns.shutdownGraceMs, 0],
    [{ LOG_LEVEL: "WARN" }, ({ logLevel }) => logLevel, "warn"],
    [{ INTROSPECTION: "0" }, ({ http }) => http.introspection, false],
    [{ EXPLORERS: "off" }, ({ http }) => http.explorers, false],
    [{}, ({ http }) => http.page, true],
    [{ NODE_ENV: "production", STAND_IN: "1" }, ({ http }) => http.page, true],
    [{ PAGE: "0" }, ({ http }) => http.page, false],
  ])("take %j", (env, read, expected) => {
    expect(read(parseConfig(env))).toEqual(expected);
  });

  it("count as absent where they are empty or blank", () => {
    const names = [
      "AZURE_OPENAI_ENDPOINT",
      "DATABASE_URL",
      "DATA_DIR",
      "HOST",
      "PORT",
      "LOG_LEVEL",
      "EXPLORERS",
    ];
    for (const blank of ["", "  "]) {
      const env = Object.fromEntries(names.map((name) => [name, blank]));
      expect(parseConfig(env)).toEqual(parseConfig({}));
    }
  });

  it("cannot be changed once they are read", () => {
    const config = parseConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.http.corsOrigins)).toBe(true);
    expect(Object.isFrozen(config.model)).toBe(true);
  });

  it("with a mistake are all told at once, each by its name", () => {
    const wrong = {
      AZURE_OPENAI_ENDPOINT: "example.openai.azure.com",
      OPENAI_API_VERSION: "latest",
      DATABASE_URL: "mysql://db/parley",
      HOST: "0.0.0.0",
      PORT: "65536",
      PUBLIC_URL: "https://parley.example.com/some/path",
      CORS_ORIGINS: "https://a.example,*",
      DEFAULT_VOICE: "nobody",
      EXTRA_VOICES: "two words",
      MAX_AUDIO_BYTES: "20971521",
      AUDIO_URL_TTL_MS: "59999",
      HISTORY_MAX_TOKENS: "-1",
      HISTORY_MAX_AUDIO_BYTES: "1.5",
      MODEL_IDLE_TIMEOUT_MS: "soon",
      MODEL_TOTAL_TIMEOUT_MS: "0",
      MAX_SUBSCRIPTIONS_PER_SOCKET: "0",
      MAX_SOCKETS_PER_VIEWER: "many",
      LEASE_MS: "999",
      SHUTDOWN_GRACE_MS: "1e3",
      PRICES_FILE: join(folder, "absent.json"),
      STAND_IN: "maybe",
      LOG_LEVEL: "loud",
      INTROSPECTION: "2",
      EXPLORERS: "2",
      PAGE: "yes, please",
    };
    const mistakes = mistakesIn(wrong);
    // The endpoint without a deployment is a mistake of its own.
    const names = [...Object.keys(wrong), "AZURE_OPENAI_DEPLOYMENT_NAME"];
    expect(mistakes.map((mistake) => mistake.split(" ", 1)[0]).sort()).toEqual(names.sort());
    expect(() => parseConfig(wrong)).toThrow(
      ["The settings can't be used:", ...mistakes.map((mistake) => `  - ${mistake}`)].join("\n"),
    );
  });

  it.each([
    { HOST: "0.0.0.0" },
    { HOST: "::" },
    { HOST: "192.168.1.10" },
    { HOST: "parley.example.com" },
    { HOST: "127.0.0.1.example.com" },
    { HOST: "localhost.example.com" },
    { HOST: "127.999.0.1" },
  ])("refuse %j, which others can reach while nobody has to sign in", (env) => {
    expect(mistakesIn(env)).toEqual([expect.stringMatching(/^HOST must be a loopback address/)]);
  });

  it.each([
    ["file:", "DATABASE_URL names no file: file:PATH"],
    ["file:?mode=ro", "DATABASE_URL must have no parameters after a file's path."],
    ["file:parley.db?mode=ro", "DATABASE_URL must have no parameters after a file's path."],
    ["./parley.db", "DATABASE_URL must begin with file: or postgresql://; a file's path stands after file:"],
    ["localhost:5432/parley", "DATABASE_URL must begin with file: or postgresql://"],
    ["mysql://db/parley", "DATABASE_URL is of mysql://, which Parley does not use"],
    ["postgresql://[", "DATABASE_URL can't be read as an address: postgresql://USER:PASSWORD@HOST:PORT/NAME"],
  ])("tell which rule DATABASE_URL=%s breaks", (url, sentence) => {
    expect(mistakesIn({ DATABASE_URL: url })).toEqual([expect.stringContaining(sentence)]);
  });

  it.each(["0", "0.0", "-1", "1e3", "1,5", "0.0000001", "1000000000.1", "99999999999", "$5", "ten", "1."])(
    "refuse a budget of %s",
    (text) => {
      expect(mistakesIn({ BUDGET_TENANT_DAY_USD: text })).toEqual([
        expect.stringMatching(/^BUDGET_TENANT_DAY_USD must be an amount in US dollars above 0/),
      ]);
    },
  );

  it("are refused with a reason, whatever text they hold, and with nothing but that", () => {
    const names = Object.keys(azure).concat([
      "HOST",
      "PORT",
      "PUBLIC_URL",
      "CORS_ORIGINS",
      "DATABASE_URL",
      "LEASE_MS",
      "BUDGET_VIEWER_DAY_USD",
      "MAX_REPLY_TOKENS",
    ]);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.string({ unit: "grapheme" }), (name, text) => {
        for (const mistake of mistakesIn({ ...azure, [name]: text })) expect(mistake).toContain(name);
      }),
    );
  });
});

describe("the model's settings", () => {
  it.each([
    "https://example.openai.azure.com",
    "https://example.openai.azure.com/",
    "https://example.openai.azure.com/openai",
    "https://example.openai.azure.com/openai/",
    "https://example.openai.azure.com/openai/v1",
    "https://example.openai.azure.com/openai/v1/",
    "https://example.openai.azure.com//openai/v1/",
  ])("take the endpoint as people paste it: %s", (endpoint) => {
    expect(modelOf({ ...azure, AZURE_OPENAI_ENDPOINT: endpoint })["endpoint"]).toBe(
      "https://example.openai.azure.com",
    );
  });

  it("refuse an endpoint whose path is not an API's", () => {
    const env = { ...azure, AZURE_OPENAI_ENDPOINT: "https://example.openai.azure.com/openai/deployments/x" };
    expect(mistakesIn(env)).toEqual([expect.stringMatching(/^AZURE_OPENAI_ENDPOINT must be/)]);
  });

  it("mean keyless sign-in unless a key is set", () => {
    expect(modelOf(azure)).toMatchObject({
      provider: "azure",
      deployment: "gpt-audio-mini",
      auth: { kind: "keyless" },
    });
    expect(modelOf({ ...azure, AZURE_OPENAI_API_KEY: "k" })["auth"]).toEqual({
      kind: "api-key",
      apiKey: "k",
    });
  });

  it.each(["2025-01-01-preview", "2025-03-01-preview", "2026-05-01", "v1"])("take the API %s", (version) => {
    expect(modelOf({ ...azure, OPENAI_API_VERSION: version })["apiVersion"]).toBe(version);
  });

  it.each(["2024-10-21", "2024-12-01-preview", "v2", "preview", "2025-1-1"])(
    "refuse the API %s",
    (version) => {
      expect(mistakesIn({ OPENAI_API_VERSION: version })).toEqual([
        expect.stringContaining(`OPENAI_API_VERSION must be`),
      ]);
    },
  );

  it("must be there in production, unless the stand-in is allowed", () => {
    const production = { NODE_ENV: "production" };
    expect(mistakesIn(production)).toEqual([expect.stringMatching(/AZURE_OPENAI_ENDPOINT.*STAND_IN=1/)]);
    expect(mistakesIn({ ...production, STAND_IN: "0" })).toHaveLength(1);
    expect(modelOf({ ...production, STAND_IN: "1" })["provider"]).toBe("stand-in");
    expect(modelOf({ ...production, ...azure })["provider"]).toBe("azure");
  });
});

describe("production", () => {
  const production = { ...azure, NODE_ENV: "production" };

  it("has introspection and explorers off unless they are set on", () => {
    expect(parseConfig(production).http).toMatchObject({ introspection: false, explorers: false });
    expect(parseConfig({ ...production, INTROSPECTION: "1", EXPLORERS: "true" }).http).toMatchObject({
      introspection: true,
      explorers: true,
    });
  });
});

describe("a secret in the settings", () => {
  it.each<[string, Env]>([
    ["the key", { ...azure, AZURE_OPENAI_API_KEY: "hunter2", PORT: "x" }],
    ["the database's password", { DATABASE_URL: "mysql://root:hunter2@db/parley" }],
    ["the database's password in a broken address", { DATABASE_URL: "postgresql://root:hunter2@[/parley" }],
    ["a password in the endpoint", { ...azure, AZURE_OPENAI_ENDPOINT: "https://me:hunter2@example.com" }],
    [
      "a key in the endpoint's query",
      { ...azure, AZURE_OPENAI_ENDPOINT: "https://example.com/?api-key=hunter2" },
    ],
    ["a password in PUBLIC_URL", { PUBLIC_URL: "https://me:hunter2@example.com" }],
    ["a password in CORS_ORIGINS", { CORS_ORIGINS: "https://me:hunter2@example.com" }],
    ["a password in an address that can't be read", { PUBLIC_URL: "me:hunter2@example com" }],
  ])("is not told with a mistake: %s", (_name, env) => {
    const mistakes = mistakesIn(env);
    expect(mistakes).toHaveLength(1);
    expect(mistakes.join()).not.toContain("hunter2");
  });
});

describe("PRICES_FILE", () => {
  const entry = { textInput: 2.5, textOutput: 10, audioInput: 32, audioOutput: 64 };

  it("holds the prices of models and deployments; cached input costs what text input does unless it says", async () => {
    const text = JSON.stringify({ "gpt-audio": entry, mine: { ...entry, cachedInput: 1 } });
    const { prices } = parseConfig({ PRICES_FILE: await file("good.json", text) });
    expect(prices.get("gpt-audio")).toEqual({ ...entry, cachedInput: 2.5 });
    expect(prices.get("mine")).toEqual({ ...entry, cachedInput: 1 });
  });

  it.each<[string, string]>([
    ["{", "JSON"],
    ["[]", "the file must be an object whose keys are names of deployments or models"],
    ['{"mine": 3}', "mine must be an object with the prices of a deployment or model"],
    [
      JSON.stringify({ mine: { ...entry, textInput: -1 } }),
      "mine.textInput must not be below 0: a number, USD for 1,000,000 tokens",
    ],
    [
      JSON.stringify({ mine: { ...entry, textInput: "2.50" } }),
      "mine.textInput must be a number, USD for 1,000,000 tokens",
    ],
    [
      JSON.stringify({ mine: { textInput: 1, textOutput: 1, audioInput: 1 } }),
      "mine.audioOutput is missing: a number, USD for 1,000,000 tokens",
    ],
    [
      JSON.stringify({ mine: { ...entry, image: 1 } }),
      "mine has image, but prices are textInput, textOutput",
    ],
  ])("that reads %s is refused, naming what is wrong", async (text, named) => {
    const path = await file("bad.json", text);
    const mistakes = mistakesIn({ PRICES_FILE: path });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(path);
    expect(mistakes[0]).toContain(named);
  });
});

describe("a .env file", () => {
  it("is read, and the environment wins over it", async () => {
    const path = await file("one.env", 'DEFAULT_VOICE="echo" # a remark\r\nPATH=/nowhere\r\n#PORT=1\r\n');
    const { env } = readSettings(path);
    expect(env["DEFAULT_VOICE"]).toBe("echo");
    expect(env["PATH"]).toBe(process.env["PATH"]);
    expect(parseConfig(env).voices.default).toBe("echo");
  });

  it("may begin with the mark that editors on Windows write", async () => {
    const { env } = readSettings(await file("two.env", "\uFEFFDEFAULT_VOICE=echo\n"));
    expect(env["DEFAULT_VOICE"]).toBe("echo");
  });

  it("need not be there", () => {
    expect(readSettings(join(folder, "absent.env")).env).toEqual({ ...process.env });
  });

  it("that is there and can't be read is not passed over in silence", () => {
    expect(() => readSettings(folder)).toThrow(ConfigError);
  });

  it("may hold comments, empty lines, and values in quotation marks that go over several lines", async () => {
    const text =
      "# PORT 1\n\n  HOST = localhost\nEXTRA_VOICES=\"one,\ntwo\" # behind\nAUTH='none'\nPAGE=`0`\n";
    const { env } = readSettings(await file("three.env", text));
    expect(env).toMatchObject({ HOST: "localhost", EXTRA_VOICES: "one,\ntwo", AUTH: "none", PAGE: "0" });
  });

  it.each([
    ["PORT 4000\nAUTH=api-key\n", ["line 1, is neither NAME=value nor a comment."]],
    ['LOG_LEVEL=info\nAUTH="api-key\nPAGE=1\n', ["line 2, opens a quotation that is never closed."]],
    ["<<<<<<< main\nPORT=1\n=======\n", ["line 1, is neither", "line 3, is neither"]],
    ["1PORT=1\n", ["line 1, is neither"]],
  ])("that holds %j is refused, and no line of it is repeated", async (text, told) => {
    const path = await file("broken.env", text);
    let mistakes: readonly string[] = [];
    try {
      readSettings(path);
    } catch (error) {
      if (error instanceof ConfigError) mistakes = error.mistakes;
    }
    expect(mistakes).toEqual(told.map((end) => expect.stringContaining(`${path}, ${end}`) as unknown));
    expect(mistakes.join("")).not.toContain("api-key");
  });
});

describe("a setting that does nothing", () => {
  const warningsAboutFile = async (text: string) => readSettings(await file("idle.env", text)).warnings;

  it.each([
    ["AUHT=api-key\n", ["AUHT (in the .env file) is no setting of Parley"]],
    ["AZURE_CLIENT_ID=x\n", ["The Azure SDK reads the environment alone."]],
    ["AZURE_OPENAI_API_KEY=x\n", ["AZURE_OPENAI_API_KEY has no effect without AZURE_OPENAI_ENDPOINT."]],
    ["AUTH_JWT_ISSUER=x\nAUTH_JWT_AUDIENCE=y\n", ["AUTH_JWT_ISSUER, AUTH_JWT_AUDIENCE have no effect"]],
    ["AUTH=JWT\nAUTH_JWT_ISSUER=x\nNODE_ENV=production\nUNKNOWN=\n", []],
  ])("is told, wherever it can only be a mistake: %j", async (text, told) => {
    expect(await warningsAboutFile(text)).toEqual(
      told.map((part) => expect.stringContaining(part) as unknown),
    );
  });

  it("is told of the environment where its name begins as those of Parley do", () => {
    const env = { RETENTION_AUDIO_DAY: "3", AZURE_OPENAI_API_VERSION: "1", RATE_LIMIT: "5", HOSTNAME: "box" };
    expect(warningsAbout(env, []).map((warning) => warning.split(" ")[0])).toEqual([
      "RETENTION_AUDIO_DAY",
      "AZURE_OPENAI_API_VERSION",
    ]);
  });
});

describe("the names of the settings", () => {
  it("are those that are read, and no other", () => {
    const asked = new Set<string>();
    const recording = (env: Env) =>
      new Proxy(env, {
        get: (target, name) => (asked.add(String(name)), Reflect.get(target, name) as string | undefined),
      });
    const jwt = { AUTH: "jwt", AUTH_JWT_ISSUER: "https://issuer.example", AUTH_JWT_AUDIENCE: "parley" };
    parseConfig(recording({ ...azure, ...jwt, AZURE_OPENAI_API_KEY: "key" }));
    expect([...asked].sort()).toEqual([...settingNames, "NODE_ENV"].sort());
  });
});
