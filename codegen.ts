import type { CodegenConfig } from "@graphql-codegen/cli";

const row = (name: string) => `../../db/rows.js#${name}Row`;

const happening = (type: string) => `../../services/live/turn-happening.js#${type}Happening`;
const change = "../../services/live/conversation-change.js#ConversationChange";

const config: CodegenConfig = {
  schema: "src/schema/*.graphql",
  generates: {
    "src/schema/generated/types.ts": {
      plugins: ["typescript", "typescript-resolvers"],
      config: {
        contextType: "../../resolvers/request-context.js#RequestContext",
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        maybeValue: "T | null",
        inputMaybeValue: "T | null | undefined",
        avoidOptionals: { field: true, defaultValue: true },
        scalars: {
          ID: "string",
          DateTime: "Date",
          Base64: "string",
          Upload: {
            input: "Promise<import('../../services/audio/incoming-audio.js').IncomingFile>",
            output: "never",
          },
          URL: "string",
          SafeInt: "number",
        },
        mappers: {
          Conversation: row("Conversation"),
          Turn: row("Turn"),
          Message: row("Message"),
          AudioClip: row("AudioClip"),
          DeletionReceipt: row("Deletion"),
          ConversationConnection: "../../db/pagination.js#Page<ConversationRow>",
          TurnConnection: "../../db/pagination.js#Page<TurnRow>",
          ReplySettings: "../../services/turns/reply.js#ReplySettings as ReplySettingsModel",
          Usage: "../../services/usage/usage.js#UsageSums",
          TurnStarted: happening("TurnStarted"),
          TranscriptDelta: happening("TranscriptDelta"),
          TextDelta: happening("TextDelta"),
          AudioDelta: happening("AudioDelta"),
          TurnEnded: happening("TurnEnded"),
          ConversationStarted: change,
          ConversationChanged: change,
          ConversationDeleted: change,
          ConversationTurnChanged: change,
          Retention: "../../services/keeping/retention-days.js#RetentionDays",
          Viewer: "../../auth/viewer.js#Viewer as ViewerModel",
          TenantUsage: "../../services/usage/tenant-usage.js#TenantUsage as TenantUsageModel",
          ViewerUsage: "../../services/usage/tenant-usage.js#ViewerUsage as ViewerUsageModel",
          Capabilities: "../../services/capabilities.js#Capabilities as CapabilitiesModel",
        },
      },
    },
    // The operations of the page, each with the type of its variables and its data.
    "web/app/client/generated/operations.ts": {
      documents: "web/app/client/*.graphql",
      plugins: ["typescript-operations", "typed-document-node"],
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        maybeValue: "T | null",
        inputMaybeValue: "T | null | undefined",
        scalars: {
          ID: "string",
          DateTime: "string",
          Base64: "string",
          Upload: "Blob",
          URL: "string",
          SafeInt: "number",
        },
      },
    },
  },
};

export default config;
