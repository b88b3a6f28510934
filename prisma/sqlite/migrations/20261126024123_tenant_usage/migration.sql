-- CreateIndex
CREATE INDEX "ModelCall_tenantId_ownerId_idx" ON "ModelCall"("tenantId", "ownerId");
