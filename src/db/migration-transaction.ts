/**
 * A connection that holds the database's migration lock inside one transaction: `commit` keeps everything that was
 * done, `rollback` nothing. Both let the lock go and close the connection.
 */
export interface MigrationTransaction {
  run(sql: string, parameters?: (string | number)[]): Promise<void>;
  /** The names in `_prisma_migrations` that were applied; empty where there is no such table. */
  appliedNames(): Promise<string[]>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}
