/** Who checks the blocks of a language. A block in another language has no rule, and the tests say so. */
export const rules: Readonly<Record<string, string>> = {
  graphql: "test/docs/operations.test.ts runs it, with the json block right behind it as its variables",
  json: "test/docs/operations.test.ts takes it as variables, or test/docs/settings.test.ts reads it",
  dotenv: "test/docs/settings.test.ts reads it as settings",
  sh: "test/docs/commands.test.ts runs it; from examples/README.md, test/examples does",
  ts: "test/docs/types.test.ts compiles it",
  swift: "nothing runs it: there is no compiler for it here, and the page says so",
  kotlin: "nothing runs it: there is no compiler for it here, and the page says so",
  text: "nothing runs it: it is no code",
};

const needsAzure = "needs the Azure CLI and a subscription";

/** Commands that no test runs as they stand, by page and first line, each with the reason. */
export const notRun: Readonly<Record<string, string>> = {
  "README.md: npm ci && npm start": "installs packages; test/process/start.test.ts starts the server",
  "README.md: npm ci && npm test": "this is what runs the tests",
  "README.md: npm ci && npm run build && npm prune --omit=dev":
    "removes the packages of the tests; test/api/production.test.ts starts a server for production",
  "docs/azure.md: az group create --name parley --location eastus2": needsAzure,
  "docs/azure.md: az login": needsAzure,
  "docs/azure.md: az identity create --name parley --resource-group parley": needsAzure,
  "docs/azure.md: az group delete --name parley": needsAzure,
  "CONTRIBUTING.md: npm ci": "this is what runs the tests",
};
