/** A request that HTTP itself forbids; answered with this status and the code BAD_REQUEST. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly statusCode: number;

  constructor(statusCode: 400 | 405 | 406 | 415, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}
