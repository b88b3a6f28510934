import base from "./jest.config.js";

/** The tests that need a browser: `npm run test:browser`. */
export default {
  ...base,
  testMatch: ["<rootDir>/test/browser/**/*.browser.ts"],
  // One browser at a time: they measure when sound begins.
  maxWorkers: 1,
  // Nothing is measured by it: it only ends what hangs, and a busy machine may stand still for seconds.
  testTimeout: 180_000,
  globalSetup: "<rootDir>/test/browser/global-setup.js",
  globalTeardown: undefined,
};
