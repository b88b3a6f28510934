import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import type { Sending } from "./outbox.js";

/** The message of a conversation that is on its way, or could not be sent; null where there is none. */
export function useSending(conversationId: string | null): Sending | null {
  const { outbox } = useServices();
  return useWatched(outbox.sending).get(conversationId) ?? null;
}
