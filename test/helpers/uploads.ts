import { addAudioTurn } from "./operations.js";
import type { Asked, Turn } from "./operations.js";
import type { GraphqlAnswer, GraphqlError, TestParley } from "./parley.js";

export interface CreatedUpload {
  uploadId: string;
  uploadUrl: string;
  expiresAt: string;
}

export const createAudioUpload = /* GraphQL */ `
  mutation ($input: CreateAudioUploadInput!) {
    createAudioUpload(input: $input) {
      uploadId
      uploadUrl
      expiresAt
    }
  }
`;

export async function createdUpload(
  parley: Asked,
  byteLength: number,
  sha256: string | null = null,
): Promise<CreatedUpload> {
  const input = { byteLength, sha256 };
  const payload = await parley.ask<{ createAudioUpload: CreatedUpload }>(createAudioUpload, { input });
  return payload.createAudioUpload;
}

export interface PutAnswer {
  status: number;
  body: { uploadId?: string; byteLength?: number; sha256?: string; errors?: GraphqlError[] };
  code: string | undefined;
}

export async function put(
  url: string,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Promise<PutAnswer> {
  const response = await fetch(url, { method: "PUT", headers, body: new Uint8Array(bytes) });
  const body = (await response.json()) as PutAnswer["body"];
  return { status: response.status, body, code: body.errors?.[0]?.extensions.code };
}

/** An upload that has received its bytes. */
export async function receivedUpload(parley: TestParley, bytes: Uint8Array): Promise<CreatedUpload> {
  const upload = await createdUpload(parley, bytes.byteLength);
  const { status, body } = await put(upload.uploadUrl, bytes);
  if (status !== 200) throw new Error(`the upload was refused: ${JSON.stringify(body)}`);
  return upload;
}

export type AddedTurn = { addAudioTurn: { turn: Turn } } | null;

/** Sends a turn whose sound was uploaded before, and answers what came. */
export function sendByUpload(
  parley: Pick<TestParley, "send">,
  conversationId: string,
  uploadId: string,
  more: object = {},
): Promise<GraphqlAnswer<AddedTurn>> {
  const reply = { modalities: ["TEXT"] };
  const input = { conversationId, audio: { uploadId }, reply, ...more };
  return parley.send<AddedTurn>(addAudioTurn, { input });
}

/** The same, for a turn that must be accepted. */
export async function askByUpload(...request: Parameters<typeof sendByUpload>): Promise<Turn> {
  const { data, errors } = await sendByUpload(...request);
  if (data === null || errors.length > 0) throw new Error(JSON.stringify(errors));
  return data.addAudioTurn.turn;
}
