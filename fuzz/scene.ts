import { request } from "node:http";

/** What the placeholders of a corpus stand for at one server. */
export interface Scene {
  host: string;
  port: number;
  conversationId: string;
  turnId: string;
  /** The sound of an answer, in WAV, which no input removes but by chance. */
  clip: { id: string; bytes: Uint8Array; etag: string; lastModified: string };
  uploadId: string;
  /** Path and query, signed. */
  uploadPath: string;
}

interface SceneData {
  startConversation: { conversation: { id: string } };
  addTextTurn: {
    turn: { id: string; status: string; assistantMessage: { audio: { id: string; url: string } } | null };
  };
  createAudioUpload: { uploadId: string; uploadUrl: string };
}

const turn = `mutation ($id: ID!) { addTextTurn(input: { conversationId: $id, text: "What is an orbit?" }) {
  turn { id status assistantMessage { audio { id url } } } } }`;

/** Makes a conversation with an answered turn, and an upload that waits for 1,000 bytes. */
export async function makeScene(origin: string): Promise<Scene> {
  const { startConversation } = await ask(
    origin,
    "mutation { startConversation { conversation { id } } }",
    {},
  );
  const conversationId = startConversation.conversation.id;
  const { addTextTurn } = await ask(origin, turn, { id: conversationId });
  const audio = addTextTurn.turn.assistantMessage?.audio;
  if (audio === undefined) throw new Error(`the turn ended ${addTextTurn.turn.status}`);
  const answer = await fetch(new URL(audio.url, origin));
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const [etag, lastModified] = ["etag", "last-modified"].map((name) => answer.headers.get(name) ?? "");
  const upload = "mutation { createAudioUpload(input: { byteLength: 1000 }) { uploadId uploadUrl } }";
  const { createAudioUpload } = await ask(origin, upload, {});
  const { pathname, search } = new URL(createAudioUpload.uploadUrl);
  const { host, port } = new URL(origin);
  return {
    host,
    port: Number(port),
    conversationId,
    turnId: addTextTurn.turn.id,
    clip: { id: audio.id, bytes, etag: etag ?? "", lastModified: lastModified ?? "" },
    uploadId: createAudioUpload.uploadId,
    uploadPath: pathname + search,
  };
}

async function ask(origin: string, query: string, variables: object): Promise<SceneData> {
  const answer = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await answer.json()) as { data: SceneData; errors?: unknown };
  if (errors !== undefined) throw new Error(`the scene could not be made: ${JSON.stringify(errors)}`);
  return data;
}

/** The input as it is sent: its placeholders filled in, and its length counted where it says {LENGTH}. */
export function fillIn(input: Uint8Array, scene: Scene): Buffer {
  const filled = Buffer.from(input)
    .toString("latin1")
    .replaceAll("{HOST}", scene.host)
    .replaceAll("{CONVERSATION}", scene.conversationId)
    .replaceAll("{TURN}", scene.turnId)
    .replaceAll("{CLIP}", scene.clip.id)
    .replaceAll("{ETAG}", scene.clip.etag.slice(1, -1))
    .replaceAll("{DATE}", scene.clip.lastModified)
    .replaceAll("{UPLOAD_PATH}", scene.uploadPath)
    .replaceAll("{UPLOAD}", scene.uploadId);
  const bodyAt = filled.indexOf("\r\n\r\n") + 4;
  return Buffer.from(filled.replace("{LENGTH}", String(filled.length - bodyAt)), "latin1");
}

/** Whether the server answers at all. */
export function isHealthy({ host }: Pick<Scene, "host">, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request(`http://${host}/healthz`, { agent: false, timeout: patienceMs }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode === 200));
    });
    asking.once("timeout", () => asking.destroy());
    asking.once("error", () => resolve(false));
    asking.end();
  });
}
