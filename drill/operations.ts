import type { ToldTurn } from "./ledger.js";

const turn = /* GraphQL */ `
  fragment Told on Turn {
    id
    status
    attempt
    error {
      code
    }
    userMessage {
      audio {
        sha256
      }
    }
    assistantMessage {
      content
      audio {
        sha256
        byteLength
      }
    }
  }
`;

export interface StartedConversation {
  startConversation: { conversation: { id: string } };
}
export const startConversation = /* GraphQL */ `
  mutation ($input: StartConversationInput!) {
    startConversation(input: $input) {
      conversation {
        id
      }
    }
  }
`;

/** The payload of each mutation of a turn, under one name. */
export interface ChangedTurn {
  changed: { turn: ToldTurn };
}
export const addTextTurn = /* GraphQL */ `
  mutation ($input: AddTextTurnInput!) {
    changed: addTextTurn(input: $input) {
      turn {
        ...Told
      }
    }
  }
  ${turn}
`;
export const addAudioTurn = /* GraphQL */ `
  mutation ($input: AddAudioTurnInput!) {
    changed: addAudioTurn(input: $input) {
      turn {
        ...Told
      }
    }
  }
  ${turn}
`;
export const retryTurn = /* GraphQL */ `
  mutation ($input: RetryTurnInput!) {
    changed: retryTurn(input: $input) {
      turn {
        ...Told
      }
    }
  }
  ${turn}
`;
export const cancelTurn = /* GraphQL */ `
  mutation ($input: CancelTurnInput!) {
    changed: cancelTurn(input: $input) {
      turn {
        ...Told
      }
    }
  }
  ${turn}
`;

export interface ReadTurn {
  turn: ToldTurn | null;
}
export const readTurn = /* GraphQL */ `
  query ($id: ID!) {
    turn(id: $id) {
      ...Told
    }
  }
  ${turn}
`;

export interface DeletedConversation {
  deleteConversation: { deletedConversationId: string };
}
export const deleteConversation = /* GraphQL */ `
  mutation ($input: DeleteConversationInput!) {
    deleteConversation(input: $input) {
      deletedConversationId
    }
  }
`;

export interface ServedClip {
  id: string;
  url: string;
  byteLength: number;
  sha256: string | null;
}
export interface ReadConversation {
  conversation: {
    turns: {
      nodes: (ToldTurn & {
        position: number;
        userMessage: { audio: ServedClip | null };
        assistantMessage: { audio: ServedClip | null } | null;
      })[];
      pageInfo: { hasNextPage: boolean };
    };
  } | null;
}
export const readConversation = /* GraphQL */ `
  query ($id: ID!) {
    conversation(id: $id) {
      turns(first: 100) {
        nodes {
          ...Told
          position
          userMessage {
            audio {
              ...Served
            }
          }
          assistantMessage {
            audio {
              ...Served
            }
          }
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
  fragment Served on AudioClip {
    id
    url
    byteLength
    sha256
  }
  ${turn}
`;

export interface Roots {
  __schema: { subscriptionType: { name: string } | null };
}
export const readRoots = /* GraphQL */ `
  {
    __schema {
      subscriptionType {
        name
      }
    }
  }
`;

export interface HeardEvent {
  __typename: string;
  cursor: string;
  turn: { id: string; attempt: number; status: string };
  delta?: string;
  byteOffset?: number;
  base64?: string;
}
export const turnEvents = /* GraphQL */ `
  subscription ($turnId: ID!, $after: String) {
    turnEvents(turnId: $turnId, after: $after) {
      __typename
      cursor
      turn {
        id
        attempt
        status
      }
      ... on TranscriptDelta {
        delta
      }
      ... on TextDelta {
        delta
      }
      ... on AudioDelta {
        byteOffset
        base64
      }
    }
  }
`;
