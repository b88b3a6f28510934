import { describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { notificationsOf } from "../../src/db/notifications.js";
import { freshDatabaseUrl } from "../helpers/databases.js";
import { Wire } from "../helpers/wire.js";
import { Channel } from "../live/channel.js";

async function next(heard: Channel<string | null>): Promise<unknown> {
  return (await heard.next()).value;
}

describe("the connection on which servers wake each other", () => {
  it("is made again where it has fallen silent, although nobody closed it", async () => {
    const database = await freshDatabaseUrl("postgresql", "");
    const { wire, url } = await Wire.to(database);
    const parts = { logger: pino({ level: "silent" }), probing: { everyMs: 50, limitMs: 3_000 } };
    const open = (serverId: string, at: string, heard: Channel<string | null>) =>
      notificationsOf({ kind: "postgresql", url: at }, { serverId, ...parts })?.((word) => heard.send(word));
    const [heard, otherHeard] = [new Channel<string | null>(), new Channel<string | null>()];
    const [one, other] = [open("srv_1", url, heard), open("srv_2", database, otherHeard)];
    expect([await next(heard), await next(otherHeard)]).toEqual([null, null]);
    wire.freeze();
    // Told when it is open anew: what was said meanwhile was not heard.
    expect(await next(heard)).toBeNull();
    other?.send(["turn_1"]);
    expect(await next(heard)).toBe("turn_1");
    await Promise.all([one?.close(), other?.close()]);
  });
});
