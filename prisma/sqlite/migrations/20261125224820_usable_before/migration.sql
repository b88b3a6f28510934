-- AlterTable
ALTER TABLE "Turn" ADD COLUMN "usableBefore" INTEGER;
