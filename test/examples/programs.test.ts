import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { root } from "../docs/pages.js";
import { isInstalled } from "../helpers/installed.js";
import { sharedParley } from "../helpers/parley.js";
import { keyOf } from "../helpers/people.js";
import { exampleNames, runExample } from "./run-example.js";

interface Kept {
  conversations: {
    nodes: {
      turns: {
        nodes: { status: string; userMessage: { content: string; audio: { byteLength: number } | null } }[];
      };
    }[];
  };
}

const programs = [
  { name: "node", needs: "node", uploads: false, resumes: false },
  { name: "apollo-client", needs: "node", uploads: true, resumes: true },
  { name: "urql", needs: "node", uploads: true, resumes: true },
  { name: "curl", needs: "curl", uploads: true, resumes: false },
  { name: "python", needs: "python3", uploads: true, resumes: false },
];

const question = "Is a golden retriever a good family dog?";

describe("the examples", () => {
  const shared = sharedParley("sqlite");
  const withKeys = sharedParley("sqlite", { env: { AUTH: "api-key" } });

  it("are all tried here", () => {
    const folders = readdirSync(join(root, "examples"), { withFileTypes: true });
    const names = folders
      .filter((entry) => entry.isDirectory() && entry.name !== "graphql")
      .map(({ name }) => name);
    expect([...names].sort()).toEqual(programs.map(({ name }) => name).sort());
    expect([...exampleNames].sort()).toEqual([...names].sort());
  });

  describe.each(programs)("$name", ({ name, needs, uploads, resumes }) => {
    const itWhereInstalled = isInstalled(needs) ? it : it.skip;

    itWhereInstalled("holds a conversation, hears the answer and saves it", async () => {
      const { folder, code, stdout, stderr } = await runExample(name, shared().url);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("A golden retriever is a good family dog");
      const wav = readFileSync(join(folder, "answer.wav"));
      expect([wav.toString("latin1", 0, 4), wav.readUInt16LE(22), wav.readUInt32LE(24)]).toEqual([
        "RIFF",
        1,
        24_000,
      ]);
      expect(wav.readUInt32LE(40)).toBe(wav.byteLength - 44);

      // The libraries' examples hang up in the middle of the answer, and tell what they have heard in the end.
      const [, heard] = /a header of 44 and the (\d+) that were heard/.exec(stdout) ?? [];
      if (resumes) expect(Number(heard)).toBe(wav.byteLength - 44);
      if (resumes || name === "python") expect(stdout).toContain("hung up; coming back");

      const kept = await shared().ask<Kept>(
        `{ conversations(first: 1, orderBy: { field: CREATED_AT }) {
          nodes { turns { nodes { status userMessage { content audio { byteLength } } } } } } }`,
      );
      const uploaded = {
        status: "COMPLETED",
        userMessage: {
          content: "Describe in detail the spoken audio input.",
          audio: { byteLength: wav.byteLength },
        },
      };
      expect(kept.conversations.nodes[0]?.turns.nodes).toEqual([
        { status: "COMPLETED", userMessage: { content: question, audio: null } },
        ...(uploads ? [uploaded] : []),
      ]);
    });

    itWhereInstalled("says what went wrong and fails where the model fails", async () => {
      shared().standIn.failNext({ name: "server-error" });
      const { code, stdout, stderr } = await runExample(name, shared().url);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain("FAILED");
    });

    itWhereInstalled("fails where there is no server", async () => {
      const { code, stderr } = await runExample(name, "http://127.0.0.1:1");
      expect(code).not.toBe(0);
      expect(stderr).toContain(
        "No answer from http://127.0.0.1:1: start Parley with npm start, or give its address.",
      );
      expect(stderr).not.toMatch(/^\s+at |Traceback/m);
    });

    itWhereInstalled("signs in with PARLEY_TOKEN, and says without one that it has to", async () => {
      const { headers } = await keyOf(withKeys(), "ada");
      const PARLEY_TOKEN = headers.authorization.replace("Bearer ", "");
      const signedIn = await runExample(name, withKeys().url, { PARLEY_TOKEN });
      expect(signedIn).toMatchObject({ code: 0, stderr: "" });
      expect(readFileSync(join(signedIn.folder, "answer.wav")).toString("latin1", 0, 4)).toBe("RIFF");
      const { code, stdout, stderr } = await runExample(name, withKeys().url);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain("Authorization");
    });
  });
});
