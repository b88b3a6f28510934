-- CreateTable
CREATE TABLE "Deletion" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "ownerId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "requestedBy" TEXT NOT NULL,
    "conversationId" TEXT,
    "requestedAt" DATETIME NOT NULL,
    "touchedAt" DATETIME NOT NULL,
    "rowsRemovedAt" DATETIME,
    "completedAt" DATETIME,
    "conversations" INTEGER NOT NULL DEFAULT 0,
    "turns" INTEGER NOT NULL DEFAULT 0,
    "messages" INTEGER NOT NULL DEFAULT 0,
    "clips" INTEGER NOT NULL DEFAULT 0,
    "audioByteLength" BIGINT NOT NULL DEFAULT 0,
    "logEntries" INTEGER NOT NULL DEFAULT 0,
    "idempotencyKeys" INTEGER NOT NULL DEFAULT 0,
    "events" INTEGER NOT NULL DEFAULT 0,
    "anonymisedCalls" INTEGER NOT NULL DEFAULT 0
);

-- CreateTable
CREATE TABLE "DeletionFile" (
    "path" TEXT NOT NULL PRIMARY KEY,
    "deletionId" TEXT
);

-- CreateIndex
CREATE INDEX "Deletion_ownerId_idx" ON "Deletion"("ownerId");

-- CreateIndex
CREATE INDEX "Deletion_completedAt_idx" ON "Deletion"("completedAt");

-- CreateIndex
CREATE INDEX "DeletionFile_deletionId_idx" ON "DeletionFile"("deletionId");
