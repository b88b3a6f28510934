-- CreateTable
CREATE TABLE "Conversation" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "title" TEXT,
    "titleKey" TEXT NOT NULL DEFAULT '',
    "instructions" TEXT,
    "voice" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    "lastActivityAt" TIMESTAMP(3) NOT NULL,
    "archivedAt" TIMESTAMP(3),

    CONSTRAINT "Conversation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Turn" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "activeConversationId" TEXT,
    "position" INTEGER NOT NULL,
    "status" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "replyModalities" TEXT NOT NULL,
    "replyVoice" TEXT NOT NULL,
    "replyFormat" TEXT NOT NULL,
    "replyMaxTokens" INTEGER,
    "replyTemperature" DOUBLE PRECISION,
    "model" TEXT,
    "finishReason" TEXT,
    "omittedTurns" INTEGER NOT NULL DEFAULT 0,
    "errorCode" TEXT,
    "errorMessage" TEXT,
    "errorRetryable" BOOLEAN,
    "errorRetryAfter" TIMESTAMP(3),
    "leaseOwner" TEXT,
    "leaseExpiresAt" TIMESTAMP(3),
    "cancelRequestedAt" TIMESTAMP(3),
    "runningCall" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "startedAt" TIMESTAMP(3),
    "endedAt" TIMESTAMP(3),

    CONSTRAINT "Turn_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Message" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "turnId" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "text" TEXT,
    "transcript" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Message_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "AudioClip" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "messageId" TEXT NOT NULL,
    "storageKey" TEXT NOT NULL,
    "format" TEXT NOT NULL,
    "byteLength" INTEGER NOT NULL,
    "durationMs" INTEGER,
    "sha256" TEXT NOT NULL,
    "receivedSha256" TEXT,
    "providerAudioId" TEXT,
    "providerAudioExpiresAt" TIMESTAMP(3),
    "providerAudioDeadAt" TIMESTAMP(3),
    "providerEndpoint" TEXT,
    "providerDeployment" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "AudioClip_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ModelCall" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "conversationId" TEXT,
    "turnId" TEXT,
    "attempt" INTEGER NOT NULL,
    "endpoint" TEXT NOT NULL,
    "deployment" TEXT NOT NULL,
    "apiVersion" TEXT NOT NULL,
    "model" TEXT,
    "providerRequestId" TEXT,
    "completionId" TEXT,
    "finishReason" TEXT,
    "outcome" TEXT NOT NULL,
    "errorCode" TEXT,
    "httpAttempts" INTEGER NOT NULL,
    "timeToFirstAudioMs" INTEGER,
    "startedAt" TIMESTAMP(3) NOT NULL,
    "endedAt" TIMESTAMP(3) NOT NULL,
    "inputTextTokens" INTEGER NOT NULL DEFAULT 0,
    "inputAudioTokens" INTEGER NOT NULL DEFAULT 0,
    "cachedInputTokens" INTEGER NOT NULL DEFAULT 0,
    "outputTextTokens" INTEGER NOT NULL DEFAULT 0,
    "outputAudioTokens" INTEGER NOT NULL DEFAULT 0,
    "costMicroUsd" BIGINT,
    "estimated" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "ModelCall_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IdempotencyKey" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "scope" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "requestHash" TEXT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "turnId" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "IdempotencyKey_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Conversation_ownerId_lastActivityAt_id_idx" ON "Conversation"("ownerId", "lastActivityAt", "id");

-- CreateIndex
CREATE INDEX "Conversation_ownerId_createdAt_id_idx" ON "Conversation"("ownerId", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Conversation_ownerId_titleKey_id_idx" ON "Conversation"("ownerId", "titleKey", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Turn_activeConversationId_key" ON "Turn"("activeConversationId");

-- CreateIndex
CREATE INDEX "Turn_status_leaseExpiresAt_idx" ON "Turn"("status", "leaseExpiresAt");

-- CreateIndex
CREATE UNIQUE INDEX "Turn_conversationId_position_key" ON "Turn"("conversationId", "position");

-- CreateIndex
CREATE UNIQUE INDEX "Message_turnId_role_key" ON "Message"("turnId", "role");

-- CreateIndex
CREATE UNIQUE INDEX "AudioClip_messageId_key" ON "AudioClip"("messageId");

-- CreateIndex
CREATE UNIQUE INDEX "AudioClip_storageKey_key" ON "AudioClip"("storageKey");

-- CreateIndex
CREATE INDEX "AudioClip_conversationId_idx" ON "AudioClip"("conversationId");

-- CreateIndex
CREATE INDEX "ModelCall_turnId_idx" ON "ModelCall"("turnId");

-- CreateIndex
CREATE INDEX "ModelCall_conversationId_idx" ON "ModelCall"("conversationId");

-- CreateIndex
CREATE INDEX "ModelCall_ownerId_idx" ON "ModelCall"("ownerId");

-- CreateIndex
CREATE INDEX "IdempotencyKey_conversationId_idx" ON "IdempotencyKey"("conversationId");

-- CreateIndex
CREATE INDEX "IdempotencyKey_turnId_idx" ON "IdempotencyKey"("turnId");

-- CreateIndex
CREATE UNIQUE INDEX "IdempotencyKey_ownerId_scope_key_key" ON "IdempotencyKey"("ownerId", "scope", "key");

-- AddForeignKey
ALTER TABLE "Turn" ADD CONSTRAINT "Turn_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Turn" ADD CONSTRAINT "Turn_activeConversationId_fkey" FOREIGN KEY ("activeConversationId") REFERENCES "Conversation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Message" ADD CONSTRAINT "Message_turnId_fkey" FOREIGN KEY ("turnId") REFERENCES "Turn"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "AudioClip" ADD CONSTRAINT "AudioClip_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ModelCall" ADD CONSTRAINT "ModelCall_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ModelCall" ADD CONSTRAINT "ModelCall_turnId_fkey" FOREIGN KEY ("turnId") REFERENCES "Turn"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IdempotencyKey" ADD CONSTRAINT "IdempotencyKey_conversationId_fkey" FOREIGN KEY ("conversationId") REFERENCES "Conversation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IdempotencyKey" ADD CONSTRAINT "IdempotencyKey_turnId_fkey" FOREIGN KEY ("turnId") REFERENCES "Turn"("id") ON DELETE CASCADE ON UPDATE CASCADE;
