const maxBytes = 256 * 1024;

/** A JSON object that a trusted server publishes. Rejects where it takes longer than 5 s or holds more than 256 KiB. */
export async function readJson(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: "error" });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const text = await readText(response);
  const found: unknown = JSON.parse(text);
  if (typeof found !== "object" || found === null) throw new Error(`${url} answered no JSON object`);
  return { ...found };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    byteLength += chunk.byteLength;
    if (byteLength > maxBytes) throw new Error(`${response.url} answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
