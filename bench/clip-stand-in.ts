/** The stand-in with a fixed clip instead of speech, in a process of its own; prints where it listens. */
import { pino } from "pino";
import { startStandIn } from "../src/stand-in/stand-in.js";

const standIn = await startStandIn({ speech: "clip", logger: pino({ level: "silent" }) });
process.stdout.write(`${standIn.url}\n`);
process.once("SIGTERM", () => {
  void standIn.close().then(() => process.exit(0));
});
