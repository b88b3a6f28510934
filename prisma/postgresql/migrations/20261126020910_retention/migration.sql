-- AlterTable
ALTER TABLE "AudioClip" ADD COLUMN     "removedAt" TIMESTAMP(3);

-- AlterTable
ALTER TABLE "Conversation" ADD COLUMN     "audioRetentionDays" INTEGER,
ADD COLUMN     "firstPosition" INTEGER NOT NULL DEFAULT 1,
ADD COLUMN     "textRetentionDays" INTEGER,
ADD COLUMN     "usableRemoved" INTEGER NOT NULL DEFAULT 0;

-- CreateIndex
CREATE INDEX "AudioClip_removedAt_createdAt_id_idx" ON "AudioClip"("removedAt", "createdAt", "id");

-- CreateIndex
CREATE INDEX "AudioClip_conversationId_removedAt_createdAt_idx" ON "AudioClip"("conversationId", "removedAt", "createdAt");

-- CreateIndex
CREATE INDEX "Conversation_lastActivityAt_id_idx" ON "Conversation"("lastActivityAt", "id");

-- CreateIndex
CREATE INDEX "Conversation_audioRetentionDays_id_idx" ON "Conversation"("audioRetentionDays", "id");

-- CreateIndex
CREATE INDEX "Conversation_textRetentionDays_id_idx" ON "Conversation"("textRetentionDays", "id");

-- CreateIndex
CREATE INDEX "Turn_endedAt_id_idx" ON "Turn"("endedAt", "id");
