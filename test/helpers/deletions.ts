import { setTimeout as delay } from "node:timers/promises";
import type { Asked } from "./operations.js";

export interface Receipt {
  id: string;
  kind: string;
  conversationId: string | null;
  requestedBy: string;
  requestedAt: string;
  completedAt: string | null;
  conversations: number;
  turns: number;
  messages: number;
  clips: number;
  audioByteLength: number;
  logEntries: number;
  idempotencyKeys: number;
  events: number;
  apiKeys: number;
  uploads: number;
  anonymisedCalls: number;
}

const receiptFields = /* GraphQL */ `
  fragment ReceiptFields on DeletionReceipt {
    id
    kind
    conversationId
    requestedBy
    requestedAt
    completedAt
    conversations
    turns
    messages
    clips
    audioByteLength
    logEntries
    idempotencyKeys
    events
    apiKeys
    uploads
    anonymisedCalls
  }
`;

export const deleteWithReceipt = /* GraphQL */ `
  mutation ($id: ID!) {
    deleteConversation(input: { conversationId: $id }) {
      deletedConversationId
      receipt {
        ...ReceiptFields
      }
    }
  }
  ${receiptFields}
`;

export const deleteViewer = /* GraphQL */ `
  mutation ($viewerId: ID!) {
    deleteViewer(input: { viewerId: $viewerId }) {
      receipt {
        ...ReceiptFields
      }
    }
  }
  ${receiptFields}
`;

const readReceipt = /* GraphQL */ `
  query ($id: ID!) {
    deletionReceipt(id: $id) {
      ...ReceiptFields
    }
  }
  ${receiptFields}
`;

export async function deleted(parley: Asked, id: string): Promise<Receipt> {
  const { deleteConversation } = await parley.ask<{ deleteConversation: { receipt: Receipt } }>(
    deleteWithReceipt,
    { id },
  );
  return deleteConversation.receipt;
}

export async function deletedViewer(parley: Asked, viewerId = "viewer_local"): Promise<Receipt> {
  return (await parley.ask<{ deleteViewer: { receipt: Receipt } }>(deleteViewer, { viewerId })).deleteViewer
    .receipt;
}

export async function receiptById(parley: Asked, id: string): Promise<Receipt | null> {
  return (await parley.ask<{ deletionReceipt: Receipt | null }>(readReceipt, { id })).deletionReceipt;
}

/** The receipt as soon as it is completed. */
export async function completedReceipt(parley: Asked, id: string): Promise<Receipt> {
  for (;;) {
    const receipt = await receiptById(parley, id);
    if (receipt !== null && receipt.completedAt !== null) return receipt;
    await delay(20);
  }
}
