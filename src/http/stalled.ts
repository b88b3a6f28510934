import type { FastifyReply } from "fastify";

/** Who takes no byte holds a connection and a file. Who has taken all that there is waits for the model or the disk. */
export function cutWhereStalled({ raw }: FastifyReply, stallMs: number): void {
  raw.setTimeout(stallMs, () => {
    if (raw.writableLength > 0) raw.destroy();
  });
}
