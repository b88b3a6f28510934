import { spawnSync } from "node:child_process";

/** Whether a program that answers to --version can be run here. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"]).status === 0;
}
