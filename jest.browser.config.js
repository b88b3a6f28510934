import base from "./jest.config.js";

/** The tests that need a browser: `npm run test:browser`. */
export default {
  ...base,
  testMatch: ["<rootDir>/test/browser/**/*.browser.ts"],
  // One browser at a time: they measure when sound begins.
  maxWorkers: 1,
  globalSetup: "<rootDir>/test/browser/global-setup.js",
  globalTeardown: undefined,
};
