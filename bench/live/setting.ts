import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startParley } from "../programs.js";
import type { ParleyOptions, Program } from "../programs.js";
import { PacedStandIn } from "../paced-stand-in.js";

export interface PartOptions {
  /** How often each thing is measured; null: as often as the part finds good. */
  runs: number | null;
  /** Where the server leaves a CPU profile of each of its runs; null: nowhere. */
  profiles: string | null;
}

/** What a part measures with; all that is started through it is stopped at its end. */
export interface Setting {
  standIn: PacedStandIn;
  /** A new one. */
  folder: () => string;
  /** With its data in the folder. */
  parley: (folder: string, more?: Pick<ParleyOptions, "env" | "nodeOptions">) => Promise<Program>;
}

export async function withSetting(
  { profiles }: PartOptions,
  measure: (setting: Setting) => Promise<void>,
): Promise<void> {
  const standIn = await PacedStandIn.start();
  const folders: string[] = [];
  const servers: Program[] = [];
  const profiling = profiles === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`];
  const setting: Setting = {
    standIn,
    folder: () => {
      const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
      folders.push(folder);
      return folder;
    },
    parley: async (folder, { env = {}, nodeOptions = [] } = {}) => {
      const options = { folder, endpoint: standIn.url, env, nodeOptions: [...profiling, ...nodeOptions] };
      const server = await startParley(options);
      servers.push(server);
      return server;
    },
  };
  try {
    await measure(setting);
  } finally {
    // Stopping one that has ended already does nothing.
    await Promise.all([...servers, standIn].map((program) => program.stop()));
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
}
