-- CreateTable
CREATE TABLE "AudioUpload" (
    "id" TEXT NOT NULL,
    "ownerId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "byteLength" INTEGER NOT NULL,
    "sha256" TEXT,
    "storageKey" TEXT,
    "receivedSha256" TEXT,
    "receivedAt" TIMESTAMP(3),
    "usedAt" TIMESTAMP(3),
    "expiresAt" TIMESTAMP(3) NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "AudioUpload_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "AudioUpload_storageKey_key" ON "AudioUpload"("storageKey");

-- CreateIndex
CREATE INDEX "AudioUpload_ownerId_usedAt_expiresAt_idx" ON "AudioUpload"("ownerId", "usedAt", "expiresAt");

-- CreateIndex
CREATE INDEX "AudioUpload_usedAt_expiresAt_idx" ON "AudioUpload"("usedAt", "expiresAt");
