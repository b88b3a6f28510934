-- Added in place: to make the tables anew, as Prisma proposes for SQLite, would delete what refers to their rows.
ALTER TABLE "Conversation" ADD COLUMN "tenantId" TEXT NOT NULL DEFAULT 'local';
ALTER TABLE "Turn" ADD COLUMN "tenantId" TEXT NOT NULL DEFAULT 'local';
ALTER TABLE "ModelCall" ADD COLUMN "tenantId" TEXT NOT NULL DEFAULT 'local';
