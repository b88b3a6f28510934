/**
 * Makes what is generated: the Prisma client of each database and the types of the GraphQL schema. Does nothing where
 * nothing has changed since the last time; `--force` makes it all anew.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const databases = ["sqlite", "postgresql"];
const stampFile = "node_modules/.cache/parley/generated";
const outputs = [
  "src/schema/generated/types.ts",
  "web/app/client/generated/operations.ts",
  ...databases.map((name) => `src/db/generated/${name}/client.ts`),
];

const inputs = [
  "package-lock.json",
  "codegen.ts",
  "prisma/models.prisma",
  "web/app/client/operations.graphql",
  ...databases.map((name) => `prisma/${name}/schema.prisma`),
  ...readdirSync("src/schema")
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => `src/schema/${name}`),
];

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const file of inputs.sort()) hash.update(file).update(readFileSync(file));
  return hash.digest("hex");
}

function run(command: string, ...args: string[]): void {
  // Generating needs no schema engine; naming an existing file keeps Prisma from downloading one.
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: "package.json",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
  };
  try {
    execFileSync(process.execPath, [`node_modules/${command}`, ...args], { env, stdio: "pipe" });
  } catch (error) {
    const output = error as { stdout?: Buffer; stderr?: Buffer };
    process.stderr.write(`${String(output.stdout ?? "")}${String(output.stderr ?? "")}`);
    throw error;
  }
}

function isUpToDate(): boolean {
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, "utf8") : "";
  return stamp === fingerprint() && outputs.every((file) => existsSync(file));
}

if (process.argv.includes("--force") || !isUpToDate()) {
  process.stdout.write("Generating the database clients and the types of the schema\n");
  for (const name of databases) {
    copyFileSync("prisma/models.prisma", `prisma/${name}/models.prisma`);
    run("prisma/build/index.js", "generate", "--schema", `prisma/${name}`);
  }
  run("@graphql-codegen/cli/esm/bin.js", "--config", "codegen.ts");
  mkdirSync("node_modules/.cache/parley", { recursive: true });
  writeFileSync(stampFile, fingerprint());
}
