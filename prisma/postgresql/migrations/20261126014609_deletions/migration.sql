-- CreateTable
CREATE TABLE "Deletion" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "requestedBy" TEXT NOT NULL,
    "conversationId" TEXT,
    "requestedAt" TIMESTAMP(3) NOT NULL,
    "touchedAt" TIMESTAMP(3) NOT NULL,
    "rowsRemovedAt" TIMESTAMP(3),
    "completedAt" TIMESTAMP(3),
    "conversations" INTEGER NOT NULL DEFAULT 0,
    "turns" INTEGER NOT NULL DEFAULT 0,
    "messages" INTEGER NOT NULL DEFAULT 0,
    "clips" INTEGER NOT NULL DEFAULT 0,
    "audioByteLength" BIGINT NOT NULL DEFAULT 0,
    "logEntries" INTEGER NOT NULL DEFAULT 0,
    "idempotencyKeys" INTEGER NOT NULL DEFAULT 0,
    "events" INTEGER NOT NULL DEFAULT 0,
    "anonymisedCalls" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "Deletion_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "DeletionFile" (
    "path" TEXT NOT NULL,
    "deletionId" TEXT,

    CONSTRAINT "DeletionFile_pkey" PRIMARY KEY ("path")
);

-- CreateIndex
CREATE INDEX "Deletion_ownerId_idx" ON "Deletion"("ownerId");

-- CreateIndex
CREATE INDEX "Deletion_completedAt_idx" ON "Deletion"("completedAt");

-- CreateIndex
CREATE INDEX "DeletionFile_deletionId_idx" ON "DeletionFile"("deletionId");
