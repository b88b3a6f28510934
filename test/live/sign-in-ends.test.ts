import { expect, it } from "@jest/globals";
import { onEachDatabase } from "../helpers/databases.js";
import { TestParley } from "../helpers/parley.js";
import { keyOf, revokeKey } from "../helpers/people.js";
import { subscribe, transports } from "../helpers/subscriptions.js";
import type { Transport } from "../helpers/subscriptions.js";

const listen = "subscription { viewerEvents { conversationId } }";
const start = "mutation { startConversation { conversation { id } } }";
const env = { AUTH: "api-key", RATE_READS_PER_MINUTE: "100000" };

type Events = ReturnType<typeof subscribe<object>>;

/** A subscription that stands: it has told one event. */
async function opened(
  parley: TestParley,
  transport: Transport,
  headers: Record<string, string>,
): Promise<Events> {
  const results = subscribe<object>(transport, parley.url, listen, {}, headers);
  let heard = false;
  const first = results.next().finally(() => (heard = true));
  first.catch(() => undefined);
  // Until the subscription stands nothing is heard.
  while (!(heard as boolean)) await parley.send(start, {}, headers);
  await first;
  return results;
}

/** One that was opened with a key before the key ended. */
async function openedInTime(parley: TestParley, transport: Transport): Promise<Events> {
  for (;;) {
    const expiresAt = new Date(Date.now() + 8_000);
    const { headers } = await keyOf(parley, "ada", { expiresAt });
    const results = await opened(parley, transport, headers).catch(() => null);
    if (results !== null && Date.now() < expiresAt.getTime()) return results;
    await results?.return();
  }
}

/** How it ends: by a code, or by that of a closed socket. */
async function endOf(results: Events): Promise<string> {
  let last = "ended";
  try {
    for await (const { errors } of results)
      if (errors !== undefined) last = errors.map(({ extensions }) => extensions.code).join();
    return last;
  } catch (error) {
    return `closed with ${String((error as { code?: unknown }).code)}`;
  }
}

const ends = { websocket: "closed with 4403", multipart: "UNAUTHENTICATED" } as const;

onEachDatabase("a subscription", (kind) => {
  it.each(transports)("over %s ends when what it was opened with does", async (transport) => {
    const parley = await TestParley.start(kind, { env });
    expect(await endOf(await openedInTime(parley, transport))).toBe(ends[transport]);
  });

  it.each(transports)("over %s ends soon after its key was revoked", async (transport) => {
    const parley = await TestParley.start(kind, { env });
    const { id, headers } = await keyOf(parley, "ada");
    const results = await opened(parley, transport, headers);
    await revokeKey(parley, id);
    expect(await endOf(results)).toBe(ends[transport]);
  });
});
