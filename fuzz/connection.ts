import { connect } from "node:net";
import type { Socket } from "node:net";

/** What a server may send before a client has heard enough of it. */
const mostBytes = 8 * 1024 * 1024;

/** One TCP connection, by hand: nothing on this side checks what is sent. */
export class Connection {
  /** Resolves when the server has closed it, or it broke. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly #socket: Socket;
  readonly #pieces: Uint8Array[] = [];
  #byteLength = 0;
  #onChange: () => void = () => undefined;

  constructor({ host, port }: { host: string; port: number }) {
    this.#socket = connect({ host: host.replace(/:\d+$/, ""), port, allowHalfOpen: true, noDelay: true });
    this.#socket.on("data", (piece) => {
      if (typeof piece === "string" || this.#byteLength > mostBytes) return;
      this.#pieces.push(piece);
      this.#byteLength += piece.byteLength;
      this.#onChange();
    });
    // A server that has closed with bytes unread resets the connection.
    this.#socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      const onClosed = () => {
        this.isClosed = true;
        this.#onChange();
        resolve();
      };
      this.#socket.once("end", onClosed).once("close", onClosed);
    });
  }

  get received(): Uint8Array {
    return this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces);
  }

  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.#socket.write(bytes);
  }

  /** Says that nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves to whether the condition came true; rejects where it throws. */
  until(condition: () => boolean, patienceMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const finish = (held: boolean) => {
        clearTimeout(timer);
        this.#onChange = () => undefined;
        resolve(held);
      };
      const look = (isLast: boolean) => {
        try {
          if (condition()) finish(true);
          else if (isLast || this.isClosed) finish(false);
        } catch (error) {
          clearTimeout(timer);
          this.#onChange = () => undefined;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const timer = setTimeout(() => look(true), patienceMs);
      this.#onChange = () => look(false);
      look(false);
    });
  }
}
