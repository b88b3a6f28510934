import { toldStays } from "./client.js";
import { text } from "./database.js";
import type { Row } from "./database.js";
import { grouped } from "./facts.js";
import type { Facts } from "./facts.js";
import type { Findings } from "./findings.js";
import { isOver } from "./ledger.js";
import type { KnownTurn, Ledger } from "./ledger.js";

export const noneLost = "no accepted turn is lost";
const noneStuck = "no turn is left queued or running";
const noneTwice = "no question is there twice, and none that nobody knows of";
const deletedStays = "what was deleted stays deleted";
const onlyKills = "no turn failed but for the death of its server";

/** Looks at the rows: every turn that a client knows, and that there are no others. */
export function checkTurns(facts: Facts, ledger: Ledger, findings: Findings): void {
  const turns = [...ledger.turns.values()];
  const kept = turns.filter(({ conversation }) => !conversation.deleted);
  for (const turn of kept) checkKept(turn, facts.turns.get(turn.id), findings);
  findings.looked(noneLost, `${kept.length} turns, ${turns.length - kept.length} more were deleted`);
  checkStuck(facts, findings);
  checkStrangers(facts, ledger, findings);
  checkDeleted(facts, ledger, findings);
}

function checkKept(turn: KnownTurn, row: Row | undefined, findings: Findings): void {
  if (row === undefined) {
    findings.violate(noneLost, `${turn.marker} has no row`, turn.id);
    return;
  }
  const errorCode = text(row, "errorCode");
  if (row["status"] === "FAILED" && errorCode !== "INTERRUPTED")
    findings.violate(onlyKills, `${turn.marker} failed with ${errorCode ?? "no code"}`, turn.id);
  if (Number(row["attempt"]) !== turn.retries + 1) {
    const what = `${turn.marker} was run again ${turn.retries} times and is at attempt ${String(row["attempt"])}`;
    findings.violate(toldStays, what, turn.id);
  }
  const told = turn.lastEnd;
  if (told?.attempt === row["attempt"] && told?.status !== row["status"])
    findings.violate(
      toldStays,
      `${turn.marker} was ${told?.status ?? ""}, now ${String(row["status"])}`,
      turn.id,
    );
}

function checkStuck({ turns, tables }: Facts, findings: Findings): void {
  const counts = new Map<string, number>();
  for (const [id, row] of turns) {
    const status = text(row, "status") ?? "none";
    counts.set(status, (counts.get(status) ?? 0) + 1);
    const held = ["activeConversationId", "leaseOwner", "runningCall"].filter((name) => row[name] != null);
    if (!isOver({ status }) || held.length > 0)
      findings.violate(noneStuck, `${status}, with ${held.join(", ") || "no lease"}`, id);
  }
  for (const message of tables["Message"] ?? []) {
    if (message["growing"] === true || message["growing"] === 1)
      findings.violate(noneStuck, "a message still grows", text(message, "turnId") ?? "");
  }
  const entries = tables["AnswerLogEntry"]?.length ?? 0;
  if (entries > 0) findings.violate(noneStuck, `${entries} entries of growing answers are left`);
  const tally = [...counts].sort().map(([status, count]) => `${count} ${status}`);
  findings.looked(noneStuck, tally.join(", "));
}

/** Clients ask until they are answered, so that every turn that was accepted is known to one of them. */
function checkStrangers({ turns, conversations, tables }: Facts, ledger: Ledger, findings: Findings): void {
  const messages = (tables["Message"] ?? []).filter(({ role }) => role === "USER");
  const seen = new Map<string, string>();
  for (const message of messages) {
    const [marker = ""] = /^\S+/.exec(text(message, "text") ?? "") ?? [];
    const turnId = text(message, "turnId") ?? "";
    const other = seen.get(marker);
    seen.set(marker, turnId);
    if (other !== undefined) findings.violate(noneTwice, `${marker} was asked in two turns`, other, turnId);
    if (ledger.turns.has(turnId) || ledger.givenUp.has(marker)) continue;
    findings.violate(noneTwice, `nobody was told of the turn with ${marker}`, turnId);
  }
  const known = new Set(ledger.conversations.map(({ id }) => id));
  const strangers = [...conversations.keys()].filter((id) => !known.has(id));
  if (strangers.length > 0) findings.violate(noneTwice, `nobody knows of ${strangers.join(", ")}`);
  checkPositions(turns, findings);
  findings.looked(noneTwice, `${messages.length} questions, ${ledger.resent} requests were sent again`);
}

/** From 1 on, without gaps. */
function checkPositions(turns: Map<string, Row>, findings: Findings): void {
  const positions = grouped(turns.values(), (row) => text(row, "conversationId"));
  for (const [conversationId, rows] of positions) {
    const sorted = rows.map((row) => Number(row["position"])).sort((left, right) => left - right);
    if (sorted.every((position, index) => position === index + 1)) continue;
    findings.violate(noneTwice, `${String(conversationId)} has the positions ${sorted.join(", ")}`);
  }
}

function checkDeleted({ conversations, files }: Facts, ledger: Ledger, findings: Findings): void {
  const deleted = ledger.conversations.filter((conversation) => conversation.deleted);
  for (const { id } of deleted) if (conversations.has(id)) findings.violate(deletedStays, `${id} has a row`);
  for (const { id, deleted: gone } of ledger.conversations)
    if (!gone && !conversations.has(id)) findings.violate(noneLost, `the conversation ${id} has no row`);
  const answered = new Map(deleted.map((conversation) => [conversation.id, conversation.deletionAnswered]));
  const of = (wanted: boolean) =>
    [...files].filter((key) => answered.get(key.split("/")[0] ?? "") === wanted);
  const [left, leftByKill] = [of(true), of(false)];
  if (left.length > 0)
    findings.notes.push(`files of conversations whose deletion was answered: ${left.join(", ")}`);
  if (leftByKill.length > 0)
    findings.notes.push(`${leftByKill.length} files of conversations whose deletion was killed are left`);
  findings.looked(deletedStays, `${deleted.length} conversations`);
}
