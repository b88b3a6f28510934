import { writeSync } from "node:fs";

/** Closes the run with the one line that CI reads, behind jest's own summary: `N passed, N failed`. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests > 0 ? `, ${results.numPendingTests} skipped` : "";
    process.once("exit", () =>
      writeSync(1, `${results.numPassedTests} passed, ${failed} failed${skipped}\n`),
    );
  }
}
