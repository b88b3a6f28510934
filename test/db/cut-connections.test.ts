import { describe, expect, it } from "@jest/globals";
import { StoredRateWindows } from "../../src/services/rates/rate-windows.js";
import { freshDatabaseUrl } from "../helpers/databases.js";
import { askByText, startedConversation, turnById } from "../helpers/operations.js";
import { TestParley } from "../helpers/parley.js";
import { Wire } from "../helpers/wire.js";
import type { Breakage } from "../helpers/wire.js";

const breakages: Breakage[] = ["Postgres' last words", "an end", "a reset"];

/** A server with a turn, many connections to Postgres, and a wire that cuts them. */
async function start() {
  const { wire, url } = await Wire.to(await freshDatabaseUrl("postgresql", ""));
  const parley = await TestParley.start("postgresql", { env: { DATABASE_URL: url } });
  const conversationId = await startedConversation(parley);
  const turn = await askByText(parley, conversationId, "Say 'one'.");
  const read = () => turnById(parley, turn.id);
  await Promise.all(Array.from({ length: 30 }, read));
  const cut = async (breakage: Breakage) => {
    expect(await wire.cutUnnoticed(breakage)).toBeGreaterThan(5);
  };
  return { parley, conversationId, read, cut };
}

describe("a server that does not know yet that its connections to Postgres are gone", () => {
  it.each(breakages)("answers what is read, when it is met by %s", async (breakage) => {
    const { read, cut } = await start();
    await cut(breakage);
    expect(await read()).toMatchObject({ status: "COMPLETED" });
  });

  it.each(breakages)("counts for the rate limits, when it is met by %s", async (breakage) => {
    const { parley, cut } = await start();
    await cut(breakage);
    const windows = new StoredRateWindows(parley.server.context.database.client);
    expect(await windows.count("viewer:ada:reads", 3)).toMatchObject({ used: 3 });
  });

  it.each(breakages)("takes a turn and answers it, when it is met by %s", async (breakage) => {
    const { parley, conversationId, cut } = await start();
    await cut(breakage);
    expect(await askByText(parley, conversationId, "Say 'two'.")).toMatchObject({
      status: "COMPLETED",
      position: 2,
    });
  });
});
