import { useQuery } from "@apollo/client/react";

import { SettingDocument } from "./client/generated/operations.js";
import type { SettingQuery } from "./client/generated/operations.js";

export type Setting = Omit<SettingQuery["capabilities"], "provider"> & {
  /** Null while it is not known. */
  provider: SettingQuery["capabilities"]["provider"] | null;
};

/** What holds until the server has said more: the model's own limit. */
const unknown: Setting = { provider: null, voices: [], inputMimeTypes: [], maxAudioBytes: 20 * 1024 * 1024 };

/** What this server can do, and who answers. */
export function useSetting(): Setting {
  return useQuery(SettingDocument).data?.capabilities ?? unknown;
}
