-- CreateTable
CREATE TABLE "RateWindow" (
    "key" TEXT NOT NULL,
    "used" INTEGER NOT NULL,
    "endsAtMs" BIGINT NOT NULL,

    CONSTRAINT "RateWindow_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE INDEX "RateWindow_endsAtMs_idx" ON "RateWindow"("endsAtMs");
