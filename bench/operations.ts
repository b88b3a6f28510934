import { z } from "zod";

/** What a turn of the bench is answered with. */
export const turnSelection =
  "{ turn { id status omittedTurns assistantMessage { transcript audio { url durationMs } } } }";

const turnShape = z.object({
  id: z.string(),
  status: z.string(),
  omittedTurns: z.number(),
  assistantMessage: z.object({ audio: z.object({ url: z.string() }).nullable() }).nullable(),
});
export type BenchTurn = z.infer<typeof turnShape>;

export function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

export async function startConversation(url: string): Promise<string> {
  const started = await post(url, { query: "mutation { startConversation { conversation { id } } }" });
  const id = /conv_\w+/.exec(await started.text())?.[0];
  if (id === undefined) throw new Error("a conversation could not be started");
  return id;
}

const added = z.object({ data: z.object({ addTextTurn: z.object({ turn: turnShape }) }) });

/** Without `waitMs` the answer is waited for. */
export async function addTextTurn(
  url: string,
  input: { conversationId: string; text: string; waitMs?: number },
): Promise<BenchTurn> {
  const query = `mutation ($input: AddTextTurnInput!) { addTextTurn(input: $input) ${turnSelection} }`;
  const answer = await (await post(url, { query, variables: { input } })).text();
  const { data, success } = added.safeParse(JSON.parse(answer));
  if (!success) throw new Error(`a turn was refused: ${answer}`);
  const { turn } = data.data.addTextTurn;
  if (input.waitMs === undefined && turn.status !== "COMPLETED") throw new Error(`a turn failed: ${answer}`);
  return turn;
}
