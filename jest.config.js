/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: {
    "^.+\\.ts$": ["ts-jest", { useESM: true, diagnostics: false, tsconfig: "tsconfig.json" }],
  },
  globalSetup: "<rootDir>/test/helpers/global-setup.js",
  globalTeardown: "<rootDir>/test/helpers/global-teardown.js",
  reporters: ["default", "<rootDir>/test/helpers/count-reporter.js"],
  // It only ends what hangs: nothing is measured by it.
  testTimeout: 180_000,
  // What the modules of a file take is not all given back after it: a worker that holds this much is replaced by a new
  // one. Without it the run ends in Node's own limit of memory.
  workerIdleMemoryLimit: "1.5GB",
};
