import { tsImport } from "tsx/esm/api";

/** Jest transforms this one file only, so what it needs is imported through tsx. */
export default async function globalSetup() {
  const { startPostgresWithTemplate } = await tsImport("./template-database.ts", import.meta.url);
  const postgres = await startPostgresWithTemplate();
  globalThis.parleyTestPostgres = postgres;
  process.env.PARLEY_TEST_POSTGRES_URL = postgres.url;
}
