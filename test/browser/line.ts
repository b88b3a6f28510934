import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach } from "@jest/globals";

/** A line between the browser and a server, which can be cut as a network is: nothing says goodbye. */
export interface Line {
  /** What the browser opens instead of the server. */
  url: string;
  cut: () => void;
  mend: () => void;
  /**
   * Takes the next mutation to the server and cuts the line before anything of its answer has come back. What else the
   * server tells meanwhile still arrives.
   */
  cutBeforeAnswer: () => void;
}

/** How the page's mutations begin in the JSON of a request. */
const mutation = '"query":"mutation ';

const closing = new Set<() => void>();

export async function openLine(serverUrl: string): Promise<Line> {
  const sockets = new Set<Socket>();
  let state: "whole" | "cut" | "one-way" = "whole";
  const cut = () => {
    state = "cut";
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    const far = connect(Number(new URL(serverUrl).port), "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
    }
    if (state === "cut") return void near.destroy();
    let awaited = false;
    near.pipe(far);
    near.on("data", (data) => {
      if (state === "one-way" && data.includes(mutation)) awaited = true;
    });
    far.on("data", (data) => {
      if (awaited) cut();
      else near.write(data);
    });
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.add(() => {
    cut();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend: () => (state = "whole"),
    cutBeforeAnswer: () => (state = "one-way"),
  };
}

afterEach(() => {
  for (const close of closing) close();
  closing.clear();
});
