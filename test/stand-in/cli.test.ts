import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { canHear, inputAudio, readWhole } from "./support.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const address = z.object({ port: z.number() });

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the command; `onReady` is called once with what it has printed when it is ready. */
function run(
  args: string[],
  onReady: (stdout: string, stop: () => void) => Promise<void>,
): Promise<Finished> {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/stand-in.ts", ...args], { cwd: root });
  const finished = { stdout: "", stderr: "" };
  let ready: Promise<void> | null = null;
  child.stdout.on("data", (text: Buffer) => {
    finished.stdout += text.toString();
    const stop = () => void child.kill("SIGTERM");
    if (finished.stdout.includes("AZURE_OPENAI_ENDPOINT="))
      ready ??= onReady(finished.stdout, stop).finally(stop);
  });
  child.stderr.on("data", (text: Buffer) => (finished.stderr += text.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      Promise.resolve(ready).then(() => resolve({ ...finished, code }), reject);
    });
  });
}

const nothing = () => Promise.resolve();

describe("the stand-in's command", () => {
  it("says what to set, answers, and ends with 0 when it is told to", async () => {
    const { code, stdout } = await run(["--fault", "server-error"], async (printed) => {
      const url = /^AZURE_OPENAI_ENDPOINT=(\S+)$/m.exec(printed)?.[1] ?? "";
      const response = await fetch(`${url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { "api-key": "any" },
        body: "{}",
      });
      expect(response.status).toBe(500);
    });
    expect(stdout).toMatch(/^The stand-in is ready at http:\/\/127\.0\.0\.1:\d+$/m);
    expect(stdout).toMatch(/^AZURE_OPENAI_API_KEY=/m);
    expect(code).toBe(0);
  });

  it.each([
    [[], canHear ? "but I can listen only to WAV" : "cannot hear yet"],
    [["--no-hearing"], "cannot hear yet"],
  ])("listens to what is spoken to it, unless it is told not to: %j", async (args, words) => {
    // MP3 is told apart without the decoder, which would take a second to start.
    const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x00]), Buffer.alloc(413)]);
    const content = [inputAudio(Buffer.concat([frame, frame]), "mp3")];
    const messages = [{ role: "user", content }];
    await run(args, async (printed) => {
      const url = /^AZURE_OPENAI_ENDPOINT=(\S+)$/m.exec(printed)?.[1] ?? "";
      const response = await fetch(`${url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { "api-key": "any" },
        body: JSON.stringify({ model: "my-audio", modalities: ["text"], messages }),
      });
      expect((await readWhole(response)).content).toContain(words);
    });
  });

  it("prints the variables of the managed identity instead of a key", async () => {
    const { stdout } = await run(["--identity"], nothing);
    expect(stdout).toMatch(/^IDENTITY_ENDPOINT=http:\/\/127\.0\.0\.1:\d+\/msi\/token$/m);
    expect(stdout).toMatch(/^IDENTITY_HEADER=[0-9a-f]+$/m);
    expect(stdout).not.toContain("API_KEY");
  });

  it("says so where the port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = address.parse(other.address());
    const { code, stderr } = await run(["--port", String(port)], nothing);
    other.close();
    expect([code, stderr]).toEqual([
      1,
      "The port is taken. Choose another one with --port, or leave it out.\n",
    ]);
  });

  it.each([
    [["--bogus"], /^Unknown option '--bogus'\n--help tells what there is\.\n$/],
    [["--port", "99999"], /^--port must be .*; it is "99999"\.\n--help tells what there is\.\n$/],
    [["--port", "-3"], /^--port must be .*; it is "-3"\.\n--help tells what there is\.\n$/],
    [["--fault", "meteor"], /^There is no fault "meteor"\. Faults: .*\.\n--help tells what there is\.\n$/],
  ])("explains the mistake in %j", async (args, told) => {
    const { code, stderr } = await run(args, nothing);
    expect(code).toBe(2);
    expect(stderr).toMatch(told);
  });
});
