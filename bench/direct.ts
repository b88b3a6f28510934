import { AzureOpenAI } from "openai";

export type Messages = Parameters<AzureOpenAI["chat"]["completions"]["create"]>[0]["messages"];

export const question = "Is a golden retriever a good family dog?";

/** The model without Parley: what every figure is compared with. */
export class DirectModel {
  readonly #client: AzureOpenAI;

  constructor(endpoint: string) {
    this.#client = new AzureOpenAI({
      endpoint,
      apiKey: "bench",
      apiVersion: "2025-01-01-preview",
      deployment: "bench",
      maxRetries: 0,
    });
  }

  /**
   * Reads a streamed answer to its end, as Parley does, and tells when its first sound was there, by
   * `process.hrtime.bigint()`.
   */
  async ask(messages: Messages): Promise<{ firstAudioAt: bigint | null }> {
    const stream = await this.#client.chat.completions.create({
      model: "bench",
      modalities: ["text", "audio"],
      audio: { voice: "alloy", format: "pcm16" },
      stream: true,
      stream_options: { include_usage: true },
      messages,
    });
    let firstAudioAt: bigint | null = null;
    for await (const chunk of stream) {
      // The frames between words have no choices, whatever their type says.
      const choices = "choices" in chunk ? chunk.choices : [];
      const data = audioData(choices[0]?.delta);
      if (firstAudioAt === null && data !== null && Buffer.from(data, "base64").byteLength > 0)
        firstAudioAt = process.hrtime.bigint();
    }
    return { firstAudioAt };
  }
}

/** The types of `openai` don't know sound in streams. */
function audioData(delta: object | undefined): string | null {
  if (delta === undefined || !("audio" in delta) || typeof delta.audio !== "object" || delta.audio === null)
    return null;
  return "data" in delta.audio && typeof delta.audio.data === "string" ? delta.audio.data : null;
}
