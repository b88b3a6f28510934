import { Worker } from "node:worker_threads";

/**
 * Starts a thread with the module `name`.js beside the one that asks; `base` is that one's `import.meta.url`. Compiled,
 * the thread's module is a file of its own. Run from TypeScript sources (by tsx, or in tests, which transform only what
 * they import themselves), the thread first has to register the loader.
 */
export function openWorker(base: string, name: string, workerData: unknown = null): Worker {
  if (!base.endsWith(".ts")) return new Worker(new URL(`./${name}.js`, base), { execArgv: [], workerData });
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const source = JSON.stringify(new URL(`./${name}.ts`, base).href);
  const code = `import(${loader}).then((tsx) => { tsx.register(); return import(${source}); })`;
  return new Worker(code, { eval: true, execArgv: [], workerData });
}
