-- CreateIndex
CREATE INDEX "Turn_ownerId_activeConversationId_idx" ON "Turn"("ownerId", "activeConversationId");
