-- Added in place, not by making the table anew.
ALTER TABLE "Deletion" ADD COLUMN "apiKeys" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "Deletion" ADD COLUMN "uploads" INTEGER NOT NULL DEFAULT 0;
