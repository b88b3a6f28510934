-- CreateTable
CREATE TABLE "AudioUpload" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "ownerId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "byteLength" INTEGER NOT NULL,
    "sha256" TEXT,
    "storageKey" TEXT,
    "receivedSha256" TEXT,
    "receivedAt" DATETIME,
    "usedAt" DATETIME,
    "expiresAt" DATETIME NOT NULL,
    "createdAt" DATETIME NOT NULL
);

-- CreateIndex
CREATE UNIQUE INDEX "AudioUpload_storageKey_key" ON "AudioUpload"("storageKey");

-- CreateIndex
CREATE INDEX "AudioUpload_ownerId_usedAt_expiresAt_idx" ON "AudioUpload"("ownerId", "usedAt", "expiresAt");

-- CreateIndex
CREATE INDEX "AudioUpload_usedAt_expiresAt_idx" ON "AudioUpload"("usedAt", "expiresAt");
