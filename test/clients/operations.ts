import { firstConversation } from "../../src/http/first-conversation.js";

/** The document of an operation that the explorers open with. */
export function documentOf(name: string): string {
  const found = firstConversation.find((operation) => operation.name === name);
  if (found === undefined) throw new Error(`there is no operation ${name}`);
  return found.document;
}

export const addAudioTurn = `mutation AskByAudio($input: AddAudioTurnInput!) {
  addAudioTurn(input: $input) {
    turn { id status userMessage { audio { byteLength sha256 } } assistantMessage { content audio { url } } }
  }
}`;

export interface AudioTurn {
  addAudioTurn: {
    turn: {
      id: string;
      status: string;
      userMessage: { audio: { byteLength: number; sha256: string } };
      assistantMessage: { content: string; audio: { url: string } };
    };
  };
}

export const listTurns = `query Turns($id: ID!, $first: Int, $after: String) {
  conversation(id: $id) {
    id
    turns(first: $first, after: $after) {
      edges { cursor node { id position } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}`;

export interface TurnPage {
  conversation: {
    id: string;
    turns: {
      edges: { cursor: string; node: { id: string; position: number } }[];
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  };
}

export interface Started {
  startConversation: { conversation: { id: string; title: string | null; voice: string } };
}

export interface Asked {
  addTextTurn: {
    turn: {
      id: string;
      status: string;
      assistantMessage: { transcript: string; audio: { url: string } };
    };
  };
}

export interface Resumed {
  conversations: { totalCount: number; nodes: { id: string; turns: { nodes: { position: number }[] } }[] };
}

export const preflight = { "apollo-require-preflight": "true" };
