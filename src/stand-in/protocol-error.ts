/** A refusal in the provider's own words: status, body and headers go to the client as they are. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    body: Record<string, unknown>,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** The shape of errors that the model's own API makes: message, type, param, code. */
export function invalidRequest(message: string, param: string | null, code: string | null): ProtocolError {
  return new ProtocolError(400, message, {
    error: { message, type: "invalid_request_error", param, code },
  });
}

export function missingParameter(param: string): ProtocolError {
  return invalidRequest(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");
}

export function invalidType(param: string, expected: string): ProtocolError {
  return invalidRequest(`Invalid type for '${param}': expected ${expected}.`, param, "invalid_type");
}

export function invalidValue(param: string, value: unknown, supported: readonly string[]): ProtocolError {
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  const choices = supported.map((choice) => `'${choice}'`).join(", ");
  return invalidRequest(
    `Invalid value: '${shown.slice(0, 100)}'. Supported values are: ${choices}.`,
    param,
    "invalid_value",
  );
}

/** The shape of errors that Azure's gateway makes before the model's API is reached: code and message. */
export function gatewayError(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): ProtocolError {
  return new ProtocolError(status, message, { error: { code, message } }, headers);
}

export function resourceNotFound(): ProtocolError {
  return gatewayError(404, "404", "Resource not found");
}

export function bodyTooLarge(maxBytes: number): ProtocolError {
  const message = `Maximum content size limit (${maxBytes}) exceeded.`;
  return new ProtocolError(413, message, {
    error: { message, type: "invalid_request_error", param: null, code: null },
  });
}
