/** Where the bundle put each of the editor's workers; filled in by the build. */
declare const workerUrls: { editor: string; graphql: string; json: string };

/** Tells the editor where its workers are. To be called before the editor is shown. */
export function registerWorkers(): void {
  const getWorker = (_workerId: string, label: string) => new Worker(workerUrl(label), { name: label });
  Object.assign(globalThis, { MonacoEnvironment: { getWorker } });
}

function workerUrl(label: string): string {
  switch (label) {
    case "graphql":
      return workerUrls.graphql;
    case "json":
      return workerUrls.json;
    default:
      return workerUrls.editor;
  }
}
