-- CreateTable
CREATE TABLE "SpendDay" (
    "scope" TEXT NOT NULL,
    "day" TEXT NOT NULL,
    "costMicroUsd" BIGINT NOT NULL,

    CONSTRAINT "SpendDay_pkey" PRIMARY KEY ("scope","day")
);

-- CreateTable
CREATE TABLE "BudgetReservation" (
    "turnId" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "ownerId" TEXT NOT NULL,
    "tenantId" TEXT NOT NULL,
    "costMicroUsd" BIGINT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL,
    "expiresAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "BudgetReservation_pkey" PRIMARY KEY ("turnId","attempt")
);

-- CreateIndex
CREATE INDEX "BudgetReservation_tenantId_idx" ON "BudgetReservation"("tenantId");

-- CreateIndex
CREATE INDEX "BudgetReservation_expiresAt_idx" ON "BudgetReservation"("expiresAt");
