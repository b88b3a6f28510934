import type { AudioFormat } from "../client/generated/operations.js";

export interface ClipSource {
  id: string;
  url: string;
  format: AudioFormat;
}

/**
 * Where a clip is read. Its URL names the server's public origin; this page asks the origin that it came from itself,
 * which is the same server. Where people sign in, what stands behind `?` says who may hear it.
 */
export function clipPath({ url }: Pick<ClipSource, "url">): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** Where a clip is downloaded. */
export function downloadPath({ url }: Pick<ClipSource, "url">): string {
  const { pathname, search } = new URL(url);
  const download = `download=${pathname.split("/").at(-1) ?? ""}`;
  return `${pathname}${search === "" ? "?" : `${search}&`}${download}`;
}
