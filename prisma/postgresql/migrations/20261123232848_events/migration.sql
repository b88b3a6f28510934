-- AlterTable
ALTER TABLE "AudioClip" ALTER COLUMN "sha256" DROP NOT NULL;

-- AlterTable
ALTER TABLE "Conversation" ADD COLUMN     "eventSequence" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "Message" ADD COLUMN     "growing" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "AnswerLogEntry" (
    "messageId" TEXT NOT NULL,
    "sequence" INTEGER NOT NULL,
    "text" TEXT,
    "transcript" TEXT,
    "audioByteLength" INTEGER NOT NULL,

    CONSTRAINT "AnswerLogEntry_pkey" PRIMARY KEY ("messageId","sequence")
);

-- CreateTable
CREATE TABLE "ConversationEvent" (
    "ownerId" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "conversationId" TEXT NOT NULL,
    "conversationSequence" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "turnId" TEXT,
    "createdAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "ConversationEvent_pkey" PRIMARY KEY ("ownerId","sequence")
);

-- CreateTable
CREATE TABLE "EventCounter" (
    "ownerId" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,

    CONSTRAINT "EventCounter_pkey" PRIMARY KEY ("ownerId")
);

-- CreateIndex
CREATE INDEX "ConversationEvent_createdAt_idx" ON "ConversationEvent"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "ConversationEvent_conversationId_conversationSequence_key" ON "ConversationEvent"("conversationId", "conversationSequence");

-- AddForeignKey
ALTER TABLE "AnswerLogEntry" ADD CONSTRAINT "AnswerLogEntry_messageId_fkey" FOREIGN KEY ("messageId") REFERENCES "Message"("id") ON DELETE CASCADE ON UPDATE CASCADE;
