/** An operation that the explorers open with. */
export interface ExampleOperation {
  name: string;
  document: string;
  variables: Readonly<Record<string, string | null>>;
}

/** A first conversation: start it, ask in it, come back to it later. Sandbox and GraphiQL open with these. */
export const firstConversation: readonly ExampleOperation[] = [
  {
    name: "StartConversation",
    document: `# 1. Start a conversation. Copy the id from the
#    answer: the next operation asks for it.
mutation StartConversation($title: String) {
  startConversation(input: { title: $title }) {
    conversation {
      id
      title
      voice
      createdAt
    }
  }
}
`,
    variables: { title: "Dogs" },
  },
  {
    name: "AskByText",
    document: `# 2. Ask by text; the answer comes as words and sound.
#    Put the id into the variable conversationId.
#    Run this again with another text: the model knows
#    what was said before.
mutation AskByText(
  $conversationId: ID!
  $text: String!
) {
  addTextTurn(
    input: {
      conversationId: $conversationId
      text: $text
    }
  ) {
    turn {
      id
      position
      status
      assistantMessage {
        # A spoken answer has a transcript and audio,
        # a written one has text.
        transcript
        text
        audio {
          # A WAV file: open it in the browser.
          url
          durationMs
        }
      }
      # Null, unless status is FAILED.
      error {
        code
        message
        retryable
      }
    }
  }
}
`,
    variables: {
      conversationId: "PASTE_THE_ID_HERE",
      text: "Is a golden retriever a good family dog?",
    },
  },
  {
    name: "ResumeConversation",
    document: `# 3. Come back later: the last conversations, with the
#    end of each. To go on, run AskByText with the id.
query ResumeConversation {
  conversations(first: 5) {
    totalCount
    nodes {
      id
      title
      lastActivityAt
      turns(last: 3) {
        totalCount
        nodes {
          position
          status
          userMessage {
            content
          }
          assistantMessage {
            content
            audio {
              url
            }
          }
        }
      }
    }
  }
}
`,
    variables: {},
  },
  {
    name: "FollowTurn",
    document: `# 4. Hear an answer while it is spoken, or again later.
#    Put the id of a turn into the variable turnId.
subscription FollowTurn($turnId: ID!, $after: String) {
  turnEvents(turnId: $turnId, after: $after) {
    __typename
    # Give the last one back as after, and the events
    # go on behind it.
    cursor
    ... on TranscriptDelta {
      delta
    }
    ... on TextDelta {
      delta
    }
    ... on AudioDelta {
      # 24 kHz mono 16-bit. Select base64 to have it.
      byteOffset
      byteLength
    }
    ... on TurnEnded {
      turn {
        id
        status
        error {
          code
          message
          retryable
        }
      }
    }
  }
}
`,
    variables: { turnId: "PASTE_THE_ID_OF_A_TURN_HERE", after: null },
  },
];

/** All of them in one document, for an explorer with a single editor. */
export const firstConversationDocument = firstConversation.map(({ document }) => document).join("\n");

/** The variables of all of them; where two operations name the same variable they mean the same. */
export const firstConversationVariables: Readonly<Record<string, string | null>> = Object.fromEntries(
  firstConversation.flatMap(({ variables }) => Object.entries(variables)),
);
