-- CreateTable
CREATE TABLE "RateWindow" (
    "key" TEXT NOT NULL PRIMARY KEY,
    "used" INTEGER NOT NULL,
    "endsAtMs" BIGINT NOT NULL
);

-- CreateIndex
CREATE INDEX "RateWindow_endsAtMs_idx" ON "RateWindow"("endsAtMs");
