import { viewerId } from "../../../src/auth/viewer.js";
import type { DatabaseKind } from "../../helpers/databases.js";
import { Issuer } from "../../helpers/issuer.js";
import { TestParley } from "../../helpers/parley.js";
import type { GraphqlAnswer } from "../../helpers/parley.js";
import { keyOf, revokeKey } from "../../helpers/people.js";

/** Those whom every door is tried with: `gone` shows a token that is over, or a key that was revoked. */
export const everybody = ["owner", "other", "otherTenant", "operator", "anonymous", "gone"] as const;
export type Who = (typeof everybody)[number];
export type Credentials = Record<Who, Record<string, string>>;

/** What the owner has, and how it is named. */
export interface Things {
  viewerId: string;
  conversationId: string;
  turnId: string;
  /** The conversation's last one. */
  failedTurnId: string;
  messageId: string;
  clipId: string;
  /** Signed for the owner. */
  clipUrl: string;
  deletionId: string;
  /** Of the conversation, before its turn. */
  cursor: string;
}

/** Ids of nothing: like those of things, and of nobody. */
export const nothing: Things = {
  viewerId: "viewer_00000000000000000000000000",
  conversationId: "conv_00000000000000000000000000",
  turnId: "turn_00000000000000000000000000",
  failedTurnId: "turn_00000000000000000000000000",
  messageId: "msg_00000000000000000000000000",
  clipId: "clip_00000000000000000000000000",
  clipUrl: "",
  deletionId: "del_00000000000000000000000000",
  cursor: "",
};

/** A word that everything of the owner holds. */
export const mark = "Marzipan";

/** Every door is tried with credentials that are not good. */
const patient = { RATE_ADDRESS_FAILED_SIGN_INS_PER_MINUTE: "100000", RATE_TURNS_PER_MINUTE: "100000" };

export class World {
  readonly parley: TestParley;
  readonly credentials: Credentials;

  private constructor(parley: TestParley, credentials: Credentials) {
    this.parley = parley;
    this.credentials = credentials;
  }

  static async start(kind: DatabaseKind, auth: "jwt" | "api-key"): Promise<World> {
    return auth === "jwt" ? World.#byToken(kind) : World.#byKey(kind);
  }

  static async #byKey(kind: DatabaseKind): Promise<World> {
    const parley = await TestParley.start(kind, { env: { AUTH: "api-key", ...patient } });
    const gone = await keyOf(parley, "owner");
    await revokeKey(parley, gone.id);
    const [owner, other, otherTenant, operator] = await Promise.all([
      keyOf(parley, "owner"),
      keyOf(parley, "other"),
      keyOf(parley, "owner", { tenantId: "globex" }),
      keyOf(parley, "operator", { scopes: ["usage:read"] }),
    ]);
    return new World(parley, {
      owner: owner.headers,
      other: other.headers,
      otherTenant: otherTenant.headers,
      operator: operator.headers,
      anonymous: {},
      gone: gone.headers,
    });
  }

  static async #byToken(kind: DatabaseKind): Promise<World> {
    const issuer = await Issuer.start();
    const env = issuer.settings({ AUTH_JWT_TENANT_CLAIM: "tid", ...patient });
    const parley = await TestParley.start(kind, { env });
    const bearer = async (subject: string, changes: object = {}) => ({
      authorization: `Bearer ${await issuer.token(subject, { tid: "acme", ...changes })}`,
    });
    return new World(parley, {
      owner: await bearer("owner"),
      other: await bearer("other"),
      otherTenant: await bearer("owner", { tid: "globex" }),
      operator: await bearer("operator", { roles: ["Parley.Operator"] }),
      anonymous: {},
      gone: await bearer("owner", { exp: Math.floor(Date.now() / 1000) - 3_600 }),
    });
  }

  send<Data>(who: Who, query: string, variables: object): Promise<GraphqlAnswer<Data>> {
    return this.parley.send<Data>(query, variables, this.credentials[who]);
  }

  /** New things of the owner. */
  async things(): Promise<Things> {
    const { conversation } = (await this.#ask<Started>(start, {})).startConversation;
    const gone = (await this.#ask<Started>(start, {})).startConversation.conversation.id;
    const { turn } = (await this.#ask<Asked>(ask, { conversationId: conversation.id })).addTextTurn;
    this.parley.standIn.failNext({ name: "server-error" });
    const failed = (await this.#ask<Failed>(fail, { conversationId: conversation.id })).addTextTurn.turn;
    if (failed.status !== "FAILED") throw new Error(`the turn that must fail is ${failed.status}`);
    const { deleteConversation } = await this.#ask<Deleted>(remove, { conversationId: gone });
    const { id: clipId, url: clipUrl } = turn.assistantMessage.audio;
    return {
      viewerId: viewerId("acme", "owner"),
      conversationId: conversation.id,
      turnId: turn.id,
      failedTurnId: failed.id,
      messageId: turn.assistantMessage.id,
      clipId,
      clipUrl,
      deletionId: deleteConversation.receipt.id,
      cursor: conversation.eventCursor,
    };
  }

  /** A place of the owner's, of as many bytes; nothing was sent there yet. */
  async upload(byteLength: number): Promise<Upload> {
    return (await this.#ask<Uploading>(createUpload, { byteLength })).createAudioUpload;
  }

  async #ask<Data>(query: string, variables: object): Promise<Data> {
    const { data, errors } = await this.send<Data>("owner", query, variables);
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    return data;
  }
}

interface Started {
  startConversation: { conversation: { id: string; eventCursor: string } };
}
interface Asked {
  addTextTurn: { turn: { id: string; assistantMessage: { id: string; audio: { id: string; url: string } } } };
}
interface Failed {
  addTextTurn: { turn: { id: string; status: string } };
}
interface Deleted {
  deleteConversation: { receipt: { id: string } };
}
interface Upload {
  uploadId: string;
  uploadUrl: string;
}
interface Uploading {
  createAudioUpload: Upload;
}

const start = `mutation { startConversation(input: { title: "${mark}" }) { conversation { id eventCursor } } }`;
const ask = `mutation ($conversationId: ID!) {
  addTextTurn(input: { conversationId: $conversationId, text: "Say '${mark}'" }) {
    turn { id assistantMessage { id audio { id url } } }
  }
}`;
const fail = `mutation ($conversationId: ID!) {
  addTextTurn(input: { conversationId: $conversationId, text: "${mark}" }) { turn { id status } }
}`;
const remove = `mutation ($conversationId: ID!) {
  deleteConversation(input: { conversationId: $conversationId }) { receipt { id } }
}`;
const createUpload = `mutation ($byteLength: Int!) {
  createAudioUpload(input: { byteLength: $byteLength }) { uploadId uploadUrl }
}`;
