import type { TestParley } from "./parley.js";

/** A server that operations are sent to: in this process, or in one of its own. */
export type Asked = Pick<TestParley, "ask">;

/** Everything of a turn that tests look at. */
export const turnFields = /* GraphQL */ `
  fragment TurnFields on Turn {
    id
    position
    status
    attempt
    finishReason
    model
    omittedTurns
    createdAt
    startedAt
    endedAt
    eventCursor
    error {
      code
      message
      retryable
      retryAfter
    }
    reply {
      modalities
      voice
      format
      maxTokens
      temperature
    }
    usage {
      ...UsageFields
    }
    conversation {
      id
    }
    userMessage {
      ...MessageFields
    }
    assistantMessage {
      ...MessageFields
    }
  }
  fragment MessageFields on Message {
    id
    role
    text
    transcript
    content
    createdAt
    audio {
      id
      url
      format
      mimeType
      byteLength
      durationMs
      sha256
      providerAudioId
      providerAudioExpiresAt
      createdAt
    }
  }
  fragment UsageFields on Usage {
    inputTextTokens
    inputAudioTokens
    cachedInputTokens
    outputTextTokens
    outputAudioTokens
    costMicroUsd
    estimated
  }
`;

export interface Clip {
  id: string;
  url: string;
  format: string;
  mimeType: string;
  byteLength: number;
  durationMs: number | null;
  sha256: string;
  providerAudioId: string | null;
  providerAudioExpiresAt: string | null;
  createdAt: string;
}

export interface Message {
  id: string;
  role: string;
  text: string | null;
  transcript: string | null;
  content: string | null;
  createdAt: string;
  audio: Clip | null;
}

export interface Usage {
  inputTextTokens: number;
  inputAudioTokens: number;
  cachedInputTokens: number;
  outputTextTokens: number;
  outputAudioTokens: number;
  costMicroUsd: number | null;
  estimated: boolean;
}

export interface Turn {
  id: string;
  position: number;
  status: string;
  attempt: number;
  finishReason: string | null;
  model: string | null;
  omittedTurns: number;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  eventCursor: string;
  error: { code: string; message: string; retryable: boolean; retryAfter: string | null } | null;
  reply: {
    modalities: string[];
    voice: string;
    format: string;
    maxTokens: number | null;
    temperature: number | null;
  };
  usage: Usage | null;
  conversation: { id: string };
  userMessage: Message;
  assistantMessage: Message | null;
}

export const startConversation = /* GraphQL */ `
  mutation ($input: StartConversationInput! = {}) {
    startConversation(input: $input) {
      conversation {
        id
        title
        instructions
        voice
      }
    }
  }
`;

export const addTextTurn = /* GraphQL */ `
  mutation ($input: AddTextTurnInput!) {
    addTextTurn(input: $input) {
      turn {
        ...TurnFields
      }
    }
  }
  ${turnFields}
`;

export const addAudioTurn = /* GraphQL */ `
  mutation ($input: AddAudioTurnInput!) {
    addAudioTurn(input: $input) {
      turn {
        ...TurnFields
      }
    }
  }
  ${turnFields}
`;

export const retryTurn = /* GraphQL */ `
  mutation ($input: RetryTurnInput!) {
    retryTurn(input: $input) {
      turn {
        ...TurnFields
      }
    }
  }
  ${turnFields}
`;

export const cancelTurn = /* GraphQL */ `
  mutation ($input: CancelTurnInput!) {
    cancelTurn(input: $input) {
      turn {
        ...TurnFields
      }
    }
  }
  ${turnFields}
`;

export const deleteConversation = /* GraphQL */ `
  mutation ($id: ID!) {
    deleteConversation(input: { conversationId: $id }) {
      deletedConversationId
    }
  }
`;

export const readTurn = /* GraphQL */ `
  query ($id: ID!) {
    turn(id: $id) {
      ...TurnFields
    }
  }
  ${turnFields}
`;

export async function startedConversation(parley: Asked, input: object = {}): Promise<string> {
  const { startConversation: payload } = await parley.ask<{
    startConversation: { conversation: { id: string } };
  }>(startConversation, { input });
  return payload.conversation.id;
}

/** Adds a text turn that must be accepted. */
export async function askByText(
  parley: Asked,
  conversationId: string,
  text: string,
  more: object = {},
): Promise<Turn> {
  const input = { conversationId, text, ...more };
  return (await parley.ask<{ addTextTurn: { turn: Turn } }>(addTextTurn, { input })).addTextTurn.turn;
}

/** Adds an audio turn as an upload that must be accepted. */
export async function askByAudio(
  parley: Pick<TestParley, "upload">,
  conversationId: string,
  audio: Uint8Array,
  more: object = {},
): Promise<Turn> {
  const variables = { input: { conversationId, audio: { upload: null }, ...more } };
  const { data, errors } = await parley.upload<{ addAudioTurn: { turn: Turn } }>(
    addAudioTurn,
    variables,
    "variables.input.audio.upload",
    new Blob([new Uint8Array(audio)]),
  );
  if (errors.length > 0) throw new Error(`the operation failed: ${JSON.stringify(errors)}`);
  return data.addAudioTurn.turn;
}

export async function turnById(parley: Asked, id: string): Promise<Turn | null> {
  return (await parley.ask<{ turn: Turn | null }>(readTurn, { id })).turn;
}
