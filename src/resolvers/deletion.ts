import type { DeletionReceiptResolvers } from "../schema/generated/types.js";
import { toDeletionKind, toDeletionRequester } from "../services/keeping/receipt.js";

export const deletionReceipt: DeletionReceiptResolvers = {
  kind: ({ kind }) => toDeletionKind(kind),
  requestedBy: ({ requestedBy }) => toDeletionRequester(requestedBy),
  audioByteLength: ({ audioByteLength }) => Number(audioByteLength),
};
