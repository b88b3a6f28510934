import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { Issuer } from "../helpers/issuer.js";
import { TestParley } from "../helpers/parley.js";

const secondMs = 1_000;
const hourMs = 3_600 * secondMs;
const again = {
  status: 401,
  errors: [{ extensions: { code: "UNAUTHENTICATED", retryable: true } }],
};

afterEach(() => {
  jest.restoreAllMocks();
});

async function withIssuer(changes: Record<string, string> = {}) {
  const issuer = await Issuer.start();
  const env = issuer.settings({ AUTH_JWT_JWKS_URL: `${issuer.url}/keys`, ...changes });
  const parley = await TestParley.start("sqlite", { env });
  const signIn = async () => {
    const authorization = `Bearer ${await issuer.token("ada")}`;
    return parley.send("{ viewer { id } }", {}, { authorization });
  };
  const complaints = () => parley.log.filter((line) => line.includes("issuer can't be read"));
  return { issuer, signIn, complaints };
}

function pass(ms: number): void {
  const now = Date.now() + ms;
  jest.spyOn(Date, "now").mockReturnValue(now);
}

describe("while the issuer's keys can't be read", () => {
  it("everybody is told to try again, the issuer is asked once in a while, and the log tells it once", async () => {
    const { issuer, signIn, complaints } = await withIssuer();
    issuer.down = true;
    pass(0);
    for (let request = 0; request < 10; request += 1) expect(await signIn()).toMatchObject(again);
    expect(issuer.keysRead).toBe(1);
    expect(complaints()).toHaveLength(1);
    pass(6 * secondMs);
    expect(await signIn()).toMatchObject(again);
    expect(issuer.keysRead).toBe(2);
    expect(complaints()).toHaveLength(1);
    issuer.down = false;
    pass(6 * secondMs);
    expect((await signIn()).status).toBe(200);
  });

  it("nobody is taken for one who guesses", async () => {
    const { issuer, signIn } = await withIssuer({ RATE_ADDRESS_FAILED_SIGN_INS_PER_MINUTE: "3" });
    issuer.down = true;
    for (let request = 0; request < 5; request += 1) expect(await signIn()).toMatchObject(again);
    issuer.down = false;
    pass(6 * secondMs);
    expect((await signIn()).status).toBe(200);
  });

  it("those that were read last are good for a day", async () => {
    const { issuer, signIn, complaints } = await withIssuer();
    expect((await signIn()).status).toBe(200);
    issuer.down = true;
    pass(11 * 60 * secondMs);
    for (let request = 0; request < 5; request += 1) expect((await signIn()).status).toBe(200);
    expect(complaints()).toHaveLength(1);
    pass(23 * hourMs);
    expect((await signIn()).status).toBe(200);
    pass(hourMs);
    expect(await signIn()).toMatchObject(again);
  });

  it("a token that names an unknown one is not read for each time", async () => {
    const { issuer, signIn } = await withIssuer();
    expect((await signIn()).status).toBe(200);
    issuer.down = true;
    await issuer.rotate("second");
    pass(20 * secondMs);
    for (let request = 0; request < 5; request += 1) expect(await signIn()).toMatchObject(again);
    expect(issuer.keysRead).toBe(2);
    issuer.down = false;
    pass(6 * secondMs);
    expect((await signIn()).status).toBe(200);
  });

  it("their configuration, which names where they are, is asked for as seldom", async () => {
    const { issuer, signIn } = await withIssuer({ AUTH_JWT_JWKS_URL: "" });
    issuer.down = true;
    pass(0);
    for (let request = 0; request < 5; request += 1) expect(await signIn()).toMatchObject(again);
    expect(issuer.configurationRead).toBe(1);
    issuer.down = false;
    pass(6 * secondMs);
    expect((await signIn()).status).toBe(200);
  });
});

describe("keys of the issuer", () => {
  it("are read up to 256 KiB", async () => {
    const { issuer, signIn } = await withIssuer();
    await issuer.rotate("long", { "x-more": "x".repeat(300_000) });
    expect(await signIn()).toMatchObject(again);
  });
});
