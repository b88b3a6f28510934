import { Kind, valueFromASTUntyped } from "graphql";
import type { ValueNode } from "graphql";
import type { IncomingFile } from "../services/audio/incoming-audio.js";

/** How values of a scalar pass. Its description stands in the SDL: a GraphQLScalarType here would take it away. */
interface Passing<Input> {
  __serialize(value: unknown): unknown;
  __parseValue(value: unknown): Input;
  __parseLiteral(node: ValueNode): Input;
}

export const scalars = {
  DateTime: outputOnly("DateTime", (value) => (value instanceof Date ? value.toISOString() : null)),
  URL: outputOnly("URL", (value) => (typeof value === "string" ? value : null)),
  SafeInt: outputOnly("SafeInt", (value) =>
    typeof value === "number" && Number.isSafeInteger(value) ? value : null,
  ),
  Base64: {
    __serialize: asText,
    __parseValue: asText,
    __parseLiteral: (node) => asText(valueFromASTUntyped(node)),
  } satisfies Passing<string>,
  Upload: {
    __serialize: () => {
      throw new TypeError("Upload can only be sent, not received.");
    },
    __parseValue: asUpload,
    __parseLiteral: (node) => {
      throw new TypeError(`Upload must be a variable that a file part fills, not a literal ${node.kind}.`);
    },
  } satisfies Passing<Promise<IncomingFile>>,
};

function outputOnly(name: string, convert: (value: unknown) => string | number | null): Passing<never> {
  const refuse = (value: unknown): never => {
    throw new TypeError(`${name} can't represent ${typeof value}`);
  };
  return {
    __serialize: (value) => convert(value) ?? refuse(value),
    __parseValue: refuse,
    __parseLiteral: (node) => refuse(node.kind === Kind.STRING ? node.value : null),
  };
}

/** Only that it is text; the service decodes it, with errors that say more. */
function asText(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError("Base64 must be a string.");
}

// Marked by the reader of multipart requests, so that no JSON can pass for a file.
function asUpload(value: unknown): Promise<IncomingFile> {
  if (value instanceof Promise) return value as Promise<IncomingFile>;
  throw new TypeError("Upload must be a file part of a multipart request (GraphQL multipart request spec).");
}
