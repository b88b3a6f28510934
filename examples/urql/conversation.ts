import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Client, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import type { OperationResult, TypedDocumentNode } from "@urql/core";
import type { FormattedExecutionResult } from "graphql";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const server = process.argv[2] ?? process.env["PARLEY_URL"] ?? "http://127.0.0.1:4000";

const token = process.env["PARLEY_TOKEN"];
const signIn: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

// It must not connect again by itself: it would send the cursor that the subscription began with.
// Browsers, and Node from 22 on, have a WebSocket of their own.
const socket = createClient({
  url: `${server.replace("http", "ws")}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: signIn,
  retryAttempts: 0,
});
// fetchExchange sends files by itself; the server wants the header for them.
const client = new Client({
  url: `${server}/graphql`,
  fetchOptions: { headers: { "apollo-require-preflight": "true", ...signIn } },
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query = "", variables }) => ({
        subscribe: (sink) => {
          const next = ({ data = null, errors }: FormattedExecutionResult) =>
            sink.next(errors === undefined ? { data } : { data, errors });
          return { unsubscribe: socket.subscribe({ query, variables: { ...variables } }, { ...sink, next }) };
        },
      }),
    }),
  ],
});

interface Clip {
  url: string;
  byteLength: number;
  durationMs: number | null;
}
interface Turn {
  id: string;
  status: string;
  assistantMessage: { content: string | null; audio: Clip | null } | null;
}
interface TurnEvent {
  cursor: string;
  delta?: string;
  base64?: string;
  turn?: Turn;
}

const startConversation: TypedDocumentNode<{ startConversation: { conversation: { id: string } } }> = gql`
  mutation StartConversation($title: String) {
    startConversation(input: { title: $title }) {
      conversation {
        id
      }
    }
  }
`;

const askByText: TypedDocumentNode<{ addTextTurn: { turn: { id: string } } }> = gql`
  mutation AskByText($conversationId: ID!, $text: String!) {
    addTextTurn(input: { conversationId: $conversationId, text: $text, waitMs: 0 }) {
      turn {
        id
      }
    }
  }
`;

const askByAudio: TypedDocumentNode<{ addAudioTurn: { turn: Turn } }> = gql`
  mutation AskByAudio($conversationId: ID!, $recording: Upload!, $text: String) {
    addAudioTurn(input: { conversationId: $conversationId, audio: { upload: $recording }, text: $text }) {
      turn {
        id
        status
        assistantMessage {
          content
          audio {
            url
            byteLength
            durationMs
          }
        }
      }
    }
  }
`;

const followTurn: TypedDocumentNode<{ turnEvents: TurnEvent }> = gql`
  subscription FollowTurn($turnId: ID!, $after: String) {
    turnEvents(turnId: $turnId, after: $after) {
      cursor
      ... on TranscriptDelta {
        delta
      }
      ... on AudioDelta {
        base64
      }
      ... on TurnEnded {
        turn {
          id
          status
          assistantMessage {
            content
            audio {
              url
              byteLength
              durationMs
            }
          }
        }
      }
    }
  }
`;

const readConversation: TypedDocumentNode<{
  conversation: { id: string; turns: { nodes: { id: string; position: number; status: string }[] } } | null;
}> = gql`
  query ReadConversation($id: ID!) {
    conversation(id: $id) {
      id
      turns(last: 10) {
        nodes {
          id
          position
          status
        }
      }
    }
  }
`;

/** Hands on what happens after the cursor. Answers the turn when it has ended, null where it was not heard to its end. */
function listen(
  turnId: string,
  after: string | null,
  onEvent: (event: TurnEvent, hangUp: () => void) => void,
): Promise<Turn | null> {
  return new Promise((resolve, reject) => {
    const hear = (event: TurnEvent) => {
      onEvent(event, () => {
        subscription.unsubscribe();
        resolve(null);
      });
      if (event.turn !== undefined) resolve(event.turn);
    };
    const source = client.subscription(followTurn, { turnId, after });
    const subscription = source.subscribe(({ data, error, hasNext }) => {
      if (error !== undefined) reject(error);
      else if (data !== undefined) hear(data.turnEvents);
      if (!hasNext) resolve(null);
    });
  });
}

/** Hears a turn to its end, and comes back with the last cursor when the connection breaks. */
async function follow(turnId: string): Promise<{ turn: Turn; sound: Buffer }> {
  const sound: Buffer[] = [];
  let after: string | null = null;
  for (let attempt = 1; ; attempt++) {
    try {
      const turn = await listen(turnId, after, (event, hangUp) => {
        after = event.cursor;
        if (event.delta !== undefined) console.log(`heard: ${event.delta.trim()}`);
        if (event.base64 !== undefined) sound.push(Buffer.from(event.base64, "base64"));
        // Hanging up at the first sound stands for a connection that breaks.
        if (event.base64 !== undefined && attempt === 1) hangUp();
      });
      if (turn !== null) return { turn, sound: Buffer.concat(sound) };
      console.log("hung up; coming back with the last cursor");
    } catch (error) {
      if (attempt === 5) throw error;
      await delay(1_000);
    }
  }
}

function dataOf<Data>({ data, error }: OperationResult<Data>): Data {
  if (error !== undefined) throw error;
  if (data === undefined) throw new Error("The server has answered nothing.");
  return data;
}

async function main(): Promise<void> {
  const started = dataOf(await client.mutation(startConversation, { title: "Dogs" }));
  const conversationId = started.startConversation.conversation.id;
  console.log(`conversation ${conversationId}`);

  const text = "Is a golden retriever a good family dog?";
  const asked = dataOf(await client.mutation(askByText, { conversationId, text }));
  const { turn, sound } = await follow(asked.addTextTurn.turn.id);
  const clip = turn.assistantMessage?.audio;
  if (turn.status !== "COMPLETED" || clip == null) throw new Error(`The turn is ${turn.status}.`);
  const wav = Buffer.from(await (await fetch(clip.url)).arrayBuffer());
  await writeFile("answer.wav", wav);
  console.log(
    `answer.wav: ${clip.byteLength} bytes, a header of 44 and the ${sound.byteLength} that were heard`,
  );

  const recording = new File([wav], "question.wav", { type: "audio/wav" });
  const about = "Describe in detail the spoken audio input.";
  const described = dataOf(await client.mutation(askByAudio, { conversationId, recording, text: about }));
  const answer = described.addAudioTurn.turn;
  if (answer.status !== "COMPLETED") throw new Error(`The turn is ${answer.status}.`);
  console.log(`about answer.wav: ${answer.assistantMessage?.content}`);

  const read = dataOf(await client.query(readConversation, { id: conversationId }));
  for (const { position, status } of read.conversation?.turns.nodes ?? [])
    console.log(`turn ${position}: ${status}`);
  await socket.dispose();
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.endsWith("fetch failed")
    ? `No answer from ${server}: start Parley with npm start, or give its address.`
    : error.message;
}

await main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
