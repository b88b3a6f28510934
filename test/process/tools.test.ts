import { describe, expect, it } from "@jest/globals";
import { ChildProgram, temporaryFolder } from "../helpers/parley-process.js";

async function run(program: string, ...args: string[]) {
  const { code, stdout, stderr } = await new ChildProgram(program, await temporaryFolder(), {}, args).ended;
  return { code, stdout, stderr };
}

describe("A tool of the command line", () => {
  it.each([
    ["drill/main.ts", ["--kills", "many"], '--kills must be a whole number from 1 to 100000; it is "many".'],
    ["drill/main.ts", ["--kills", "-3"], '--kills must be a whole number from 1 to 100000; it is "-3".'],
    ["drill/main.ts", ["--often"], "Unknown option '--often'"],
    ["fuzz/main.ts", ["--seconds", "0"], '--seconds must be a whole number from 1 to 1000000; it is "0".'],
    ["bench/turn.ts", ["--turns", "-1"], '--turns must be a whole number from 1 to 1000000; it is "-1".'],
    ["bench/live.ts", ["sound"], "There is no part sound, only first-audio, idle, fan-out, long."],
  ])("explains arguments that make no sense: %s %j", async (program, args, sentence) => {
    const stderr = `${sentence}\n--help tells what there is.\n`;
    expect(await run(program, ...args)).toEqual({ code: 2, stdout: "", stderr });
  });

  it.each(["drill/main.ts", "fuzz/main.ts", "bench/turn.ts", "bench/live.ts"])(
    "says what it can do: %s --help",
    async (program) => {
      const { code, stdout, stderr } = await run(program, "--help");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^ {2}npm run \S+ -- .*^ {2}--help +this text$/ms);
    },
  );
});
