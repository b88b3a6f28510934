export type {
  AudioClip as AudioClipRow,
  Conversation as ConversationRow,
  ConversationEvent as ConversationEventRow,
  Message as MessageRow,
  ModelCall as ModelCallRow,
  Turn as TurnRow,
} from "./generated/sqlite/client.js";
