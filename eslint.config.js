import js from "@eslint/js";
import graphql from "@graphql-eslint/eslint-plugin";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import { importX } from "eslint-plugin-import-x";
import { defineConfig, globalIgnores } from "eslint/config";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

// The directions of docs/architecture.md: main, cli -> server -> http, resolvers -> services -> azure, storage, db
// -> errors, code-of-error, logger, ids, make-folder, config. A room may import only from the rooms named beside it and from the ground floor.
const ground = ["errors.ts", "code-of-error.ts", "logger.ts", "ids.ts", "make-folder.ts", "config"];
const rooms = {
  config: ["errors.ts", "code-of-error.ts"],
  azure: ground,
  storage: ground,
  db: ground,
  auth: ["db", ...ground],
  services: ["azure", "storage", "db", "auth", ...ground],
  // Of db/ only the shapes of rows and pages; reading them is the services' part.
  resolvers: ["services", "db/rows.ts", "db/pagination.ts", "schema", "auth", "app-context.ts", ...ground],
  schema: [...ground, "services", "db", "app-context.ts"],
  http: ["resolvers", "schema", "services", "auth", "storage", "app-context.ts", ...ground],
  "stand-in": ["errors.ts", "logger.ts"],
};
const zones = Object.entries(rooms).map(([room, allowed]) => ({
  target: `./src/${room}`,
  from: "./src",
  except: [room, ...allowed].map((name) => `./${name}`),
  message: `src/${room} may import only from: ${allowed.join(", ")} (docs/architecture.md).`,
}));
const onlyMainKnowsTheStandIn = {
  target: ["./src/!(main.ts|cli|stand-in)/**/*", "./src/!(main).ts"],
  from: "./src/stand-in",
  message: "Only main.ts and cli/ may import the stand-in.",
};

export default defineConfig(
  globalIgnores(["dist", "coverage", "data", "fuzz/corpus", "fuzz/failures", "**/generated"]),
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [js.configs.recommended, ...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "import-x": importX },
    settings: {
      // Without this entry no-cycle reads no TypeScript file and finds nothing.
      "import-x/parsers": { "@typescript-eslint/parser": [".ts", ".tsx"] },
      "import-x/resolver-next": [createTypeScriptImportResolver()],
    },
    rules: {
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
      "import-x/no-restricted-paths": ["error", { zones: [...zones, onlyMainKnowsTheStandIn] }],
      "@typescript-eslint/consistent-type-assertions": ["error", { assertionStyle: "as" }],
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "max-lines": ["error", { max: 260, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
    },
  },
  {
    files: ["src/**/*.ts"],
    ignores: ["src/config/**", "src/main.ts", "src/cli/**"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "process", property: "env", message: "Settings are read in src/config only." },
      ],
    },
  },
  {
    files: ["src/services/**/*.ts", "src/azure/**/*.ts", "src/storage/**/*.ts", "src/db/**/*.ts"],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { paths: ["graphql", "fastify", "@apollo/server", "@as-integrations/fastify"] },
      ],
    },
  },
  {
    files: ["test/**/*.ts", "scripts/**/*.ts", "bench/**/*.ts", "examples/**/*.ts"],
    rules: { "no-console": "off", "max-lines": "off" },
  },
  { files: ["web/**/*.ts", "web/**/*.tsx"], extends: [reactHooks.configs.flat["recommended-latest"]] },
  {
    files: ["src/schema/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "src/schema/*.graphql" } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      "@graphql-eslint/description-style": ["error", { style: "block" }],
      // Payloads, edges, connections, values and events are no entities: they have no id of their own.
      "@graphql-eslint/strict-id-in-types": [
        "error",
        {
          exceptions: {
            types: [
              "PageInfo",
              "ReplySettings",
              "TurnError",
              "Usage",
              "TenantUsage",
              "ViewerUsage",
              "Budget",
              "Capabilities",
              "ViewerLimits",
              "RateLimit",
              "Retention",
            ],
            suffixes: [
              "Payload",
              "Edge",
              "Connection",
              "Started",
              "Delta",
              "Ended",
              "Changed",
              "Deleted",
              "Period",
            ],
          },
        },
      ],
      // `nodes` beside `edges` gives plain lists without the edge wrapper, as GitHub's API does.
      "@graphql-eslint/relay-edge-types": ["error", { listTypeCanWrapOnlyEdgeType: false }],
    },
  },
);
