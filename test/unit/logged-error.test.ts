import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { loggedError } from "../../src/logged-error.js";

/** An error of a library, with everything that such errors have been seen to hold. */
function ofLibrary(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}

const row = "Failing row contains (msg_1, zebrawords)";

describe("What the log tells of an error", () => {
  it.each<[string, Error, object]>([
    [
      "its type, message and code",
      ofLibrary("StorageError", "could not read a", { code: "ENOENT" }),
      { type: "StorageError", message: "could not read a", code: "ENOENT" },
    ],
    [
      "no row that Postgres tells",
      ofLibrary("error", 'new row for relation "Message" violates "never"', {
        code: "23514",
        detail: row,
        where: row,
      }),
      { message: 'new row for relation "Message" violates "never"', code: "23514" },
    ],
    [
      "no value that Postgres could not read",
      ofLibrary("error", 'invalid input syntax for type integer: "zebra\nwords"'),
      { message: 'invalid input syntax for type integer: "…"' },
    ],
    [
      "no value that is out of range",
      ofLibrary("error", 'value "zebrawords" is out of range for type integer'),
      { message: 'value "…" is out of range for type integer' },
    ],
    [
      "no value of a key",
      ofLibrary("error", "Key (id)=(zebrawords) already exists."),
      { message: "Key (id)=(…) already exists." },
    ],
    [
      "no arguments of a call",
      ofLibrary(
        "PrismaClientValidationError",
        '\nInvalid `create()` invocation:\n{ text: "zebrawords" }\nArgument x',
      ),
      { message: "Invalid `create()` invocation:" },
    ],
    [
      "nothing of a text that was parsed",
      ofLibrary("SyntaxError", 'Unexpected token s, "zebrawords" is not valid JSON'),
      { message: "Unexpected token s," },
    ],
    ["no code that is a sentence", ofLibrary("Error", "a", { code: "zebra words" }), { message: "a" }],
    [
      "no claims and no request",
      ofLibrary("JWTExpired", "over", { payload: { sub: "zebrawords" }, headers: "zebrawords" }),
      { message: "over" },
    ],
  ])("is %s", (_what, error, expected) => {
    const told = loggedError(error);
    expect(told).toMatchObject(expected);
    expect(JSON.stringify(told)).not.toMatch(/zebra/);
  });

  it("is the database's own code, which Prisma keeps far inside, and the row nowhere", () => {
    const cause = { originalCode: "23514", originalMessage: row, detail: row };
    const meta = { modelName: "Message", driverAdapterError: { name: "DriverAdapterError", cause } };
    const told = loggedError(ofLibrary("PrismaClientUnknownRequestError", "it failed", { meta }));
    expect(told).toMatchObject({ database: "23514", message: "it failed" });
    expect(JSON.stringify(told)).not.toMatch(/zebra/);
  });

  it("is where it happened, without lines of the message that look like places", () => {
    const { stack = "" } = loggedError(new Error("a\n    at zebra (words.js:1:1)"));
    expect(stack).toMatch(/^ +at .*logged-error\.test/);
    expect(stack).not.toMatch(/zebra/);
  });

  it("is also what caused it, a few steps far, in rings too", () => {
    const inner = ofLibrary("Inner", "inner");
    const several = new AggregateError([ofLibrary("One", "one"), inner], "outer", { cause: inner });
    expect(loggedError(several)).toMatchObject({
      causes: [{ type: "Inner" }, { type: "One" }, { type: "Inner" }],
    });
    const ring = ofLibrary("Ring", "ring");
    ring.cause = ring;
    expect(JSON.stringify(loggedError(ring)).match(/"Ring"/g)).toHaveLength(5);
  });

  it("is something, whatever was thrown", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
        expect(JSON.stringify(loggedError(thrown))).toContain('"message"');
      }),
    );
  });

  it("is nothing of a property that is not named here", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        fc.pre(!["name", "message", "stack", "code", "cause", "errors", "__proto__"].includes(name));
        const held = { held: { deeper: ["zebrawords"] } };
        expect(JSON.stringify(loggedError(ofLibrary("E", "e", { [name]: held })))).not.toMatch(/zebra/);
      }),
    );
  });
});
