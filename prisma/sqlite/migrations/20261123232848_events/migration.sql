-- CreateTable
CREATE TABLE "AnswerLogEntry" (
    "messageId" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "text" TEXT,
    "transcript" TEXT,
    "audioByteLength" INTEGER NOT NULL,

    PRIMARY KEY ("messageId", "sequence"),
    CONSTRAINT "AnswerLogEntry_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "ConversationEvent" (
    "ownerId" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "conversationSequence" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "turnId" TEXT,
    "createdAt" DATETIME NOT NULL,

    PRIMARY KEY ("ownerId", "sequence")
);

-- CreateTable
CREATE TABLE "EventCounter" (
    "ownerId" TEXT NOT NULL PRIMARY KEY,
    "sequence" BIGINT NOT NULL
);

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_AudioClip" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "ownerId" TEXT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "messageId" TEXT NOT NULL,
    "storageKey" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "byteLength" INTEGER NOT NULL,
    "durationMs" INTEGER,
    "sha256" TEXT,
    "receivedSha256" TEXT,
    "providerAudioId" TEXT,
    "providerAudioExpiresAt" DATETIME,
    "providerAudioDeadAt" DATETIME,
    "providerEndpoint" TEXT,
    "providerDeployment" TEXT,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "AudioClip_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_AudioClip" ("byteLength", "conversationId", "createdAt", "durationMs", "format", "id", "messageId", "ownerId", "providerAudioDeadAt", "providerAudioExpiresAt", "providerAudioId", "providerDeployment", "providerEndpoint", "receivedSha256", "sha256", "storageKey") SELECT "byteLength", "conversationId", "createdAt", "durationMs", "format", "id", "messageId", "ownerId", "providerAudioDeadAt", "providerAudioExpiresAt", "providerAudioId", "providerDeployment", "providerEndpoint", "receivedSha256", "sha256", "storageKey" FROM "AudioClip";
DROP TABLE "AudioClip";
ALTER TABLE "new_AudioClip" RENAME TO "AudioClip";
CREATE UNIQUE INDEX "AudioClip_messageId_key" ON "AudioClip"("messageId");
CREATE UNIQUE INDEX "AudioClip_storageKey_key" ON "AudioClip"("storageKey");
CREATE INDEX "AudioClip_conversationId_idx" ON "AudioClip"("conversationId");
CREATE TABLE "new_Conversation" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "ownerId" TEXT NOT NULL,
    "title" TEXT,
    "titleKey" TEXT NOT NULL DEFAULT '',
    "instructions" TEXT,
    "voice" TEXT,
    "createdAt" DATETIME NOT NULL,
    "updatedAt" DATETIME NOT NULL,
    "lastActivityAt" DATETIME NOT NULL,
    "archivedAt" DATETIME,
    "eventSequence" INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "new_Conversation" ("archivedAt", "createdAt", "id", "instructions", "lastActivityAt", "ownerId", "title", "titleKey", "updatedAt", "voice") SELECT "archivedAt", "createdAt", "id", "instructions", "lastActivityAt", "ownerId", "title", "titleKey", "updatedAt", "voice" FROM "Conversation";
DROP TABLE "Conversation";
ALTER TABLE "new_Conversation" RENAME TO "Conversation";
CREATE INDEX "Conversation_ownerId_lastActivityAt_id_idx" ON "Conversation"("ownerId", "lastActivityAt", "id");
CREATE INDEX "Conversation_ownerId_createdAt_id_idx" ON "Conversation"("ownerId", "createdAt", "id");
CREATE INDEX "Conversation_ownerId_titleKey_id_idx" ON "Conversation"("ownerId", "titleKey", "id");
CREATE TABLE "new_Message" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "ownerId" TEXT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "turnId" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "text" TEXT,
    "transcript" TEXT,
    "growing" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" DATETIME NOT NULL,
    CONSTRAINT "Message_turnId_fkey" FOREIGN KEY ("turnId") REFERENCES "Turn" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_Message" ("conversationId", "createdAt", "id", "ownerId", "role", "text", "transcript", "turnId") SELECT "conversationId", "createdAt", "id", "ownerId", "role", "text", "transcript", "turnId" FROM "Message";
DROP TABLE "Message";
ALTER TABLE "new_Message" RENAME TO "Message";
CREATE UNIQUE INDEX "Message_turnId_role_key" ON "Message"("turnId", "role");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "ConversationEvent_createdAt_idx" ON "ConversationEvent"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "ConversationEvent_conversationId_conversationSequence_key" ON "ConversationEvent"("conversationId", "conversationSequence");
