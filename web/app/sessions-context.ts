import { createContext, use } from "react";

import type { Sessions } from "./sessions.js";

export const SessionsContext = createContext<Sessions | null>(null);

export function useSessions(): Sessions {
  const sessions = use(SessionsContext);
  if (sessions === null) throw new Error("The page is drawn without its sessions.");
  return sessions;
}
