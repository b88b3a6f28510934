import { expect, it } from "@jest/globals";
import { explainStart } from "../../src/start-errors.js";

/** As Node throws them where the system refuses to listen. */
function refused(details: object): Error {
  return Object.assign(new Error("listen refused"), details);
}

it.each([
  [
    { code: "EADDRINUSE", syscall: "listen", address: "127.0.0.1", port: 4000 },
    "Port 4000 is taken: end the program that listens there, or set PORT to another one.",
  ],
  [
    { code: "EACCES", syscall: "listen", address: "127.0.0.1", port: 80 },
    "Port 80 needs more rights than this user has: set PORT to 1024 or above.",
  ],
  [
    { code: "EADDRNOTAVAIL", syscall: "listen", address: "203.0.113.1", port: 4000 },
    "HOST 203.0.113.1 is no address of this machine: set HOST to one that it has, or to 0.0.0.0 for all.",
  ],
  [
    { code: "ENOTFOUND", syscall: "getaddrinfo", hostname: "nowhere.invalid" },
    "HOST nowhere.invalid has no address: set HOST to an address of this machine.",
  ],
])("an operator is told what to do where the server can't listen: %j", (details, sentence) => {
  expect(explainStart(refused(details))).toBe(sentence);
});

it("a file that may not be read is not told as a port", () => {
  const error = refused({ code: "EACCES", syscall: "open", path: "/root/file" });
  expect(explainStart(error)).toMatch(/^Parley could not start: Error: listen refused/);
});
