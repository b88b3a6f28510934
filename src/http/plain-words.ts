/** What libraries say to the author of a server, in words for who asks this one and for who runs it. */
const plainWords: readonly (readonly [theirs: RegExp, ours: string])[] = [
  // Apollo's words, and those of graphql-js for what comes over a WebSocket.
  [
    /^GraphQL introspection (?:is not allowed|has been disabled)/,
    "Introspection is off here. INTROSPECTION=1 turns it on; schema.graphql holds the schema.",
  ],
  [
    /^This operation has been blocked as a potential Cross-Site Request Forgery/,
    "Send POST with the header content-type: application/json. GET and uploads need the header apollo-require-preflight: true.",
  ],
  // V8's words, while a document is parsed.
  [/^Maximum call stack size exceeded/, "The document nests its fields too deeply to be read."],
];

export function inPlainWords(message: string): string {
  return plainWords.find(([theirs]) => theirs.test(message))?.[1] ?? message;
}
