import { instant, text } from "./database.js";
import type { Row } from "./database.js";
import { grouped } from "./facts.js";
import type { Facts } from "./facts.js";
import type { Findings } from "./findings.js";
import type { KnownTurn, Ledger } from "./ledger.js";
import type { AskedRequest, Model } from "./model.js";

const askedOnce = "the model is asked at most once for an attempt";
const counted = "every attempt that reached the model is counted as a call";

/** Compares what the model was asked with the calls that were counted. */
export function checkModel(facts: Facts, ledger: Ledger, model: Model, findings: Findings): void {
  const calls = grouped(facts.calls, (row) => text(row, "turnId"));
  const markers = new Set<string>();
  for (const turn of ledger.turns.values()) {
    markers.add(turn.marker);
    const asked = model.asked.get(turn.marker) ?? [];
    // At most, because an attempt can end before it has asked.
    if (asked.length > turn.retries + 1)
      findings.violate(
        askedOnce,
        `${turn.marker}: ${asked.length} requests, ${turn.retries} retries`,
        turn.id,
      );
    if (!turn.conversation.deleted) checkCalls(turn, asked, calls.get(turn.id) ?? [], findings);
  }
  for (const marker of model.asked.keys()) {
    if (markers.has(marker) || ledger.givenUp.has(marker)) continue;
    findings.violate(
      askedOnce,
      `the model was asked ${marker || "without a marker"}, which nobody was told of`,
    );
  }
  findings.looked(askedOnce, `${model.requests} requests`);
  checkDeletedCalls(ledger, model, calls.get(null) ?? [], findings);
  findings.looked(counted, `${facts.calls.length} calls`);
  tellHits(facts, findings);
}

/** The calls of a turn, each with the time in which its one request may have come. */
function checkCalls(turn: KnownTurn, asked: AskedRequest[], rows: Row[], findings: Findings): void {
  const { sent, counts, untold } = requestsOfCalls(asked, rows);
  const attempts = sent.map((row) => Number(row["attempt"]));
  if (new Set(attempts).size < attempts.length)
    findings.violate(askedOnce, `${turn.marker} has calls for the attempts ${attempts.join(", ")}`, turn.id);
  for (const { server } of untold)
    findings.violate(counted, `${turn.marker}: ${server} asked the model, and no call tells it`, turn.id);
  for (const [index, count] of counts.entries()) {
    if (count > 1) findings.violate(askedOnce, `${turn.marker}: ${count} requests for one call`, turn.id);
    if (count === 0 && sent[index]?.["outcome"] === "COMPLETE")
      findings.violate(counted, `${turn.marker} has a call that the model knows nothing of`, turn.id);
  }
}

/**
 * How many requests of a turn belong to each of its calls: a request belongs to the last call that had begun when it came. A
 * call that ended before its request left, because its turn was cancelled or taken over, has asked nothing.
 */
export function requestsOfCalls(
  asked: readonly AskedRequest[],
  rows: readonly Row[],
): { sent: Row[]; counts: number[]; untold: AskedRequest[] } {
  const sent = rows
    .filter((row) => Number(row["httpAttempts"]) > 0)
    .toSorted((left, right) => instant(left, "startedAt") - instant(right, "startedAt"));
  const counts = sent.map(() => 0);
  const untold = asked.filter(({ receivedAt }) => {
    const index = sent.findLastIndex((row) => instant(row, "startedAt") <= receivedAt);
    if (index >= 0) counts[index] = (counts[index] ?? 0) + 1;
    return index < 0;
  });
  return { sent, counts, untold };
}

/** Calls of deleted conversations name no turn any more: there must be as many as requests. */
function checkDeletedCalls(ledger: Ledger, model: Model, rows: Row[], findings: Findings): void {
  const deleted = [...ledger.turns.values()].filter(({ conversation }) => conversation.deleted);
  const requests = deleted.flatMap(({ marker }) => model.asked.get(marker) ?? []);
  if (requests.length <= rows.length) return;
  const what = `deleted turns asked the model ${requests.length} times, and ${rows.length} calls without a turn are left`;
  findings.violate(counted, what);
}

/** A drill that hits nothing shows nothing. */
function tellHits({ calls }: Facts, findings: Findings): void {
  const interrupted = calls.filter(({ outcome }) => outcome === "INTERRUPTED").length;
  findings.notes.push(`${interrupted} calls to the model were interrupted`);
}
