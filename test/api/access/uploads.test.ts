import { describe, expect, it } from "@jest/globals";
import { onEachDatabase } from "../../helpers/databases.js";
import type { GraphqlAnswer } from "../../helpers/parley.js";
import { spokenWav } from "../../helpers/sound.js";
import { put } from "../../helpers/uploads.js";
import { told } from "./answers.js";
import { World } from "./world.js";
import type { Who } from "./world.js";

const add = `mutation ($conversationId: ID!, $uploadId: ID!) {
  addAudioTurn(input: { conversationId: $conversationId, audio: { uploadId: $uploadId } }) { turn { status } }
}`;
const start = "mutation { startConversation { conversation { id } } }";

const nothing = "upl_00000000000000000000000000";

/** What others are answered; a member has a conversation to ask in, so that only the upload can be refused. */
const others = [
  ["other", "NOT_FOUND", true],
  ["otherTenant", "NOT_FOUND", true],
  ["operator", "FORBIDDEN", false],
  ["anonymous", "UNAUTHENTICATED", false],
  ["gone", "UNAUTHENTICATED", false],
] as const;

interface Started {
  startConversation: { conversation: { id: string } };
}

async function conversationOf(world: World, who: Who): Promise<string> {
  const { data } = await world.send<Started>(who, start, {});
  return data.startConversation.conversation.id;
}

/** Everything that can be told of an upload, but for what is another one in each request. */
function withMessages(answer: GraphqlAnswer<unknown>) {
  return { ...told(answer), messages: answer.errors.map(({ message }) => message) };
}

describe.each(["api-key", "jwt"] as const)("with AUTH=%s", (auth) => {
  onEachDatabase("sound that came before its turn", (kind) => {
    it("is there for a turn of its owner, once, and for nobody else", async () => {
      const world = await World.start(kind, auth);
      const sound = spokenWav(200);
      const { uploadId, uploadUrl } = await world.upload(sound.byteLength);
      expect(await put(uploadUrl, sound)).toMatchObject({ status: 200 });
      const owners = await conversationOf(world, "owner");
      for (const [who, code, isMember] of others) {
        const conversationId = isMember ? await conversationOf(world, who) : owners;
        const answer = withMessages(await world.send(who, add, { conversationId, uploadId }));
        expect({ who, codes: answer.codes }).toEqual({ who, codes: [code] });
        const missing = await world.send(who, add, { conversationId, uploadId: nothing });
        expect(answer).toEqual(withMessages(missing));
      }
      const used = told(await world.send("owner", add, { conversationId: owners, uploadId }));
      const data = { addAudioTurn: { turn: { status: "COMPLETED" } } };
      expect(used).toEqual({ status: 200, data, codes: [] });
      const again = told(await world.send("owner", add, { conversationId: owners, uploadId }));
      expect(again.codes).toEqual(["NOT_FOUND"]);
    });
  });
});
