export interface SeedOperation {
  query: string;
  variables: object;
}

const turnFields =
  "turn { id status attempt error { code message } usage { costMicroUsd } userMessage { text audio { url } } }";
const text = { conversationId: "{CONVERSATION}", text: "Why?", waitMs: 0, reply: { modalities: ["TEXT"] } };
/** A WAV file of 25 samples at 8 kHz. */
const base64 =
  "UklGRlYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YTIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** One of each kind that the API has. */
export const operations: Readonly<Record<string, SeedOperation>> = {
  typename: { query: "{ __typename }", variables: {} },
  viewer: {
    query:
      "{ viewer { id usage { inputTextTokens costMicroUsd } limits { turns { remaining } } budget { viewerDay { limitMicroUsd } } } }",
    variables: {},
  },
  capabilities: {
    query: "{ capabilities { maxAudioBytes maxBase64Bytes voices maxReplyTokens } }",
    variables: {},
  },
  conversations: {
    query:
      "query ($n: Int, $after: String, $filter: ConversationFilter!) { conversations(first: $n, after: $after, filter: $filter, " +
      "orderBy: { field: LAST_ACTIVITY_AT, direction: DESC }) { edges { cursor node { id title turns(last: 2) { nodes { id } } } } pageInfo { hasNextPage endCursor } } }",
    variables: { n: 5, after: null, filter: { archived: null, search: "o" } },
  },
  node: {
    query: "query ($id: ID!) { node(id: $id) { __typename id ... on Turn { status } } }",
    variables: { id: "{TURN}" },
  },
  nodes: {
    query:
      "query ($ids: [ID!]!) { nodes(ids: $ids) { id ...C } } fragment C on Conversation { title createdAt eventCursor }",
    variables: { ids: ["{CONVERSATION}", "{CLIP}", "{TURN}", "none"] },
  },
  clip: {
    query: "query ($id: ID!) { node(id: $id) { ... on AudioClip { base64 url durationMs } } }",
    variables: { id: "{CLIP}" },
  },
  introspection: {
    query:
      "query I($deep: Boolean = true) { __schema { types { name kind fields(includeDeprecated: $deep) { name type { name ofType { name } } } } } }",
    variables: { deep: false },
  },
  start: {
    query:
      "mutation ($input: StartConversationInput!) { startConversation(input: $input) { conversation { id title voice } } }",
    variables: {
      input: {
        title: "Orbits \u{1f680}",
        instructions: "Be brief.",
        voice: "alloy",
        retention: { audioDays: 3 },
        idempotencyKey: "k",
      },
    },
  },
  update: {
    query:
      "mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { title } } }",
    variables: { input: { conversationId: "{CONVERSATION}", title: null, retention: null } },
  },
  archive: {
    query:
      'mutation { archiveConversation(input: { conversationId: "{CONVERSATION}", archived: false }) { conversation { id } } }',
    variables: {},
  },
  delete: {
    query: "mutation ($id: ID!) { deleteConversation(input: { conversationId: $id }) { receipt { id } } }",
    variables: { id: "none" },
  },
  "text-turn": {
    query: `mutation ($input: AddTextTurnInput!) { addTextTurn(input: $input) { ${turnFields} } }`,
    variables: { input: { ...text, idempotencyKey: "key-1" } },
  },
  "audio-turn": {
    query: `mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) { ${turnFields} } }`,
    variables: {
      input: {
        conversationId: "{CONVERSATION}",
        audio: { base64 },
        waitMs: 0,
        reply: { modalities: ["TEXT"], temperature: 0.5 },
      },
    },
  },
  "upload-turn": {
    query: `mutation ($input: AddAudioTurnInput!) { addAudioTurn(input: $input) { ${turnFields} } }`,
    variables: { input: { conversationId: "{CONVERSATION}", audio: { uploadId: "{UPLOAD}" }, waitMs: 0 } },
  },
  "create-upload": {
    query:
      "mutation ($input: CreateAudioUploadInput!) { createAudioUpload(input: $input) { uploadId uploadUrl expiresAt } }",
    variables: { input: { byteLength: 10, sha256: null } },
  },
  cancel: {
    query: `mutation ($id: ID!) { cancelTurn(input: { turnId: $id }) { ${turnFields} } }`,
    variables: { id: "{TURN}" },
  },
  retry: {
    query: `mutation ($id: ID!) { retryTurn(input: { turnId: $id, waitMs: 0 }) { ${turnFields} } }`,
    variables: { id: "{TURN}" },
  },
  "tenant-usage": {
    query: "query ($m: String) { tenantUsage(month: $m) { usage { costMicroUsd } } }",
    variables: { m: "2026-01" },
  },
  receipt: { query: "query ($id: ID!) { deletionReceipt(id: $id) { id } }", variables: { id: "none" } },
  "turn-events": {
    query:
      "subscription ($id: ID!, $after: String) { turnEvents(turnId: $id, after: $after) { __typename cursor } }",
    variables: { id: "{TURN}", after: null },
  },
  "conversation-events": {
    query: "subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename cursor } }",
    variables: { id: "{CONVERSATION}" },
  },
  "viewer-events": { query: "subscription { viewerEvents { __typename cursor } }", variables: {} },
};
