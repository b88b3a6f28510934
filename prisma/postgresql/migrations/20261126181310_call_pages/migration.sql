-- DropIndex
DROP INDEX "ModelCall_ownerId_idx";

-- CreateIndex
CREATE INDEX "ModelCall_ownerId_id_idx" ON "ModelCall"("ownerId", "id");
