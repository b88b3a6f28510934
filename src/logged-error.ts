/** What the log tells of an error. */
export interface LoggedError {
  type: string;
  message: string;
  /** The places in the code, without the message. */
  stack?: string;
  code?: string | number;
  /** Of a database's own error: its kind, by the database's own code where there is one. */
  database?: string;
  causes?: LoggedError[];
}

const maxDepth = 4;
const maxCauses = 4;
const maxMessageLength = 1_000;

/**
 * What happened and where, and nothing of what it happened to. Only what is named here is taken: errors of libraries carry
 * rows (`detail` of Postgres: "Failing row contains …"), requests, headers and claims in properties of their own.
 */
export function loggedError(error: unknown, depth = 0): LoggedError {
  // Who throws a text might throw anybody's.
  if (!(typeof error === "object" && error !== null))
    return { type: typeof error, message: "no error object" };
  const type = textOf(error, "name") ?? "Error";
  const said = textOf(error, "message") ?? "";
  const stack = placesOf(textOf(error, "stack") ?? "", said);
  const code = "code" in error ? codeOf(error.code) : undefined;
  const database = databaseCodeOf(error);
  const causes = depth < maxDepth ? causesOf(error) : [];
  return {
    type,
    message: withoutValues(type, said).slice(0, maxMessageLength),
    ...(stack === "" ? {} : { stack }),
    ...(code === undefined ? {} : { code }),
    ...(database === undefined ? {} : { database }),
    ...(causes.length === 0 ? {} : { causes: causes.map((cause) => loggedError(cause, depth + 1)) }),
  };
}

function textOf(error: object, name: "name" | "message" | "stack"): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : undefined;
}

function codeOf(code: unknown): string | number | undefined {
  if (typeof code === "number") return code;
  return typeof code === "string" && /^[\w.-]{1,64}$/.test(code) ? code : undefined;
}

/**
 * Messages name the value that they are about behind a colon or the word "value" (`invalid input syntax for type
 * integer: "…"`), and names of tables and columns elsewhere. Two kinds repeat what they were given at length.
 */
function withoutValues(type: string, message: string): string {
  // The arguments of the call, all of them.
  if (type === "PrismaClientValidationError") return /^[^\n]*/.exec(message.trim())?.[0] ?? "";
  // The text that was parsed.
  if (type === "SyntaxError") return /^[^"'`]*/.exec(message)?.[0].trim() ?? "";
  return message
    .replace(/(: )"[\s\S]*"/g, '$1"…"')
    .replace(/\b(value) "[\s\S]*?"/gi, '$1 "…"')
    .replace(/=\([^)]*\)/g, "=(…)");
}

/** Lines that only look like places can't be among them: the message is cut off as a whole first. */
function placesOf(stack: string, message: string): string {
  const start = stack.indexOf(message);
  if (start < 0) return "";
  const lines = stack.slice(start + message.length).split("\n");
  return lines.filter((line) => /^ +at /.test(line)).join("\n");
}

/** Prisma's errors keep the database's own far inside. */
function databaseCodeOf(error: object): string | undefined {
  const cause = within(within(within(error, "meta"), "driverAdapterError"), "cause");
  const found = [within(cause, "originalCode"), within(cause, "kind")].map(codeOf);
  return found.find((code) => code !== undefined)?.toString();
}

function within(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined;
}

/** Those of an AggregateError are its `errors`: one for each address of a host, say. */
function causesOf(error: object): object[] {
  const several: unknown = within(error, "errors");
  const all: unknown[] = [within(error, "cause"), ...(Array.isArray(several) ? (several as unknown[]) : [])];
  return all
    .filter((cause): cause is object => typeof cause === "object" && cause !== null)
    .slice(0, maxCauses);
}
