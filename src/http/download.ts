import contentDisposition from "content-disposition";

const maxNameLength = 100;

/**
 * The Content-Disposition for `?download=NAME`, null where nobody asked for a download.
 * @param name what stood in the query
 * @param ownName for a download without a name, or with one of which nothing is left
 */
export function downloadDisposition(name: unknown, ownName: string): string | null {
  if (name === undefined) return null;
  const [first] = Array.isArray(name) ? (name as readonly unknown[]) : [name];
  const fileName = cleanName(typeof first === "string" ? first : "") || ownName;
  // The package's own fallback is Latin-1, which some clients read as UTF-8.
  return contentDisposition(fileName, { fallback: fileName.replace(/[^\x20-\x7e]+/g, "_") });
}

/** The name alone: no folders, no control, formatting or broken characters, at most 100 characters. */
function cleanName(name: string): string {
  const withoutFolders = name.split(/[\\/]/).at(-1) ?? "";
  const characters = Array.from(withoutFolders.normalize("NFC").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, ""));
  // A dot at the beginning hides a file, one at the end is lost on Windows.
  return characters
    .slice(0, maxNameLength)
    .join("")
    .replace(/^[\s.]+|[\s.]+$/g, "");
}
