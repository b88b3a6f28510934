import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, ServerError, gql } from "@apollo/client";
import type { TypedDocumentNode } from "@apollo/client";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { OperationTypeNode } from "graphql";

const server = process.argv[2] ?? process.env["PARLEY_URL"] ?? "http://127.0.0.1:4000";
const uri = `${server}/graphql`;
const token = process.env["PARLEY_TOKEN"];
const signIn: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

// HttpLink reads subscriptions over multipart HTTP; UploadHttpLink sends files, for which the server wants the header.
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new HttpLink({ uri, headers: signIn }),
    new UploadHttpLink({ uri, headers: { "apollo-require-preflight": "true", ...signIn } }),
  ),
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
    const observable = client.subscribe({
      query: followTurn,
      variables: { turnId, after },
      fetchPolicy: "no-cache",
    });
    const subscription = observable.subscribe({
      next: ({ data, error }) => {
        if (error !== undefined) reject(new Error(error.message, { cause: error }));
        else if (data != null) hear(data.turnEvents);
      },
      error: (error: Error) => reject(error),
      complete: () => resolve(null),
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

async function main(): Promise<void> {
  const started = await client.mutate({ mutation: startConversation, variables: { title: "Dogs" } });
  const conversationId = started.data?.startConversation.conversation.id;
  console.log(`conversation ${conversationId}`);

  const text = "Is a golden retriever a good family dog?";
  const asked = await client.mutate({ mutation: askByText, variables: { conversationId, text } });
  const { turn, sound } = await follow(asked.data?.addTextTurn.turn.id ?? "");
  const clip = turn.assistantMessage?.audio;
  if (turn.status !== "COMPLETED" || clip == null) throw new Error(`The turn is ${turn.status}.`);
  const wav = Buffer.from(await (await fetch(clip.url)).arrayBuffer());
  await writeFile("answer.wav", wav);
  console.log(
    `answer.wav: ${clip.byteLength} bytes, a header of 44 and the ${sound.byteLength} that were heard`,
  );

  const recording = new File([wav], "question.wav", { type: "audio/wav" });
  const described = await client.mutate({
    mutation: askByAudio,
    variables: { conversationId, recording, text: "Describe in detail the spoken audio input." },
  });
  const answer = described.data?.addAudioTurn.turn;
  if (answer?.status !== "COMPLETED") throw new Error(`The turn is ${answer?.status}.`);
  console.log(`about answer.wav: ${answer.assistantMessage?.content}`);

  const read = await client.query({ query: readConversation, variables: { id: conversationId } });
  for (const { position, status } of read.data?.conversation?.turns.nodes ?? [])
    console.log(`turn ${position}: ${status}`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message === "fetch failed")
    return `No answer from ${server}: start Parley with npm start, or give its address.`;
  return ServerError.is(error) ? error.bodyText : error.message;
}

await main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
