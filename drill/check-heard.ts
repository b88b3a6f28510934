import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "./database.js";
import type { Row } from "./database.js";
import { soundFolder } from "./facts.js";
import type { Facts } from "./facts.js";
import type { Findings } from "./findings.js";
import type { Hearing } from "./hearing.js";
import type { KnownTurn, Ledger } from "./ledger.js";
import { heard } from "./listener.js";

/** Of the formats that are heard while they are spoken, how many bytes stand before the first sample. */
const headerBytes: Readonly<Record<string, number>> = { WAV: 44, PCM16: 0 };

/** Compares what was heard with what is kept. */
export async function checkHeard(
  facts: Facts,
  dataDir: string,
  ledger: Ledger,
  findings: Findings,
): Promise<void> {
  const answers = new Map(
    (facts.tables["Message"] ?? [])
      .filter(({ role }) => role === "ASSISTANT")
      .map((row) => [text(row, "turnId"), row]),
  );
  const clips = new Map(facts.clips.map((row) => [text(row, "messageId"), row]));
  const total = { turns: 0, kept: 0, connections: 0 };
  for (const turn of ledger.turns.values()) {
    const row = facts.turns.get(turn.id);
    if (turn.hearing === null || turn.conversation.deleted || row === undefined) continue;
    const answer = answers.get(turn.id) ?? null;
    const clip = clips.get(answer === null ? null : text(answer, "id")) ?? null;
    total.turns += 1;
    total.connections += turn.hearing.connections;
    if (answer !== null) total.kept += 1;
    const faults = [...turn.hearing.faults, ...endFaults(turn.hearing, row)];
    if (answer !== null) faults.push(...(await contentFaults(turn.hearing, answer, clip, dataDir)));
    for (const fault of faults) tell(turn, fault, findings);
  }
  const { turns, kept, connections } = total;
  findings.looked(heard, `${turns} turns over ${connections} connections, ${kept} with a kept answer`);
}

function tell(turn: KnownTurn, fault: string, findings: Findings): void {
  findings.violate(heard, `${turn.marker}: ${fault}`, turn.id);
}

function endFaults(hearing: Hearing, row: Row): string[] {
  if (!hearing.ended) return ["its end was not heard"];
  const attempt = Number(row["attempt"]);
  return hearing.attempt === attempt ? [] : [`attempt ${hearing.attempt} was heard last, not ${attempt}`];
}

async function contentFaults(
  hearing: Hearing,
  answer: Row,
  clip: Row | null,
  dataDir: string,
): Promise<string[]> {
  const words = text(answer, "transcript") ?? text(answer, "text") ?? "";
  const faults = words === hearing.words ? [] : [`heard "${hearing.words}", kept "${words}"`];
  if (clip === null) return faults;
  const header = headerBytes[text(clip, "format") ?? ""];
  // A file that comes in one piece is kept, and told by the end of its turn.
  if (header === undefined) {
    if (hearing.sound.byteLength > 0) faults.push(`heard ${hearing.sound.byteLength} bytes of a file`);
    return faults;
  }
  const file = await readFile(join(soundFolder(dataDir), text(clip, "storageKey") ?? "")).catch(() => null);
  const kept = file?.subarray(header);
  if (kept?.equals(hearing.sound) !== true)
    faults.push(
      `heard ${hearing.sound.byteLength} bytes of sound, kept ${kept?.byteLength ?? 0} or other ones`,
    );
  return faults;
}
