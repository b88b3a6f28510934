export type Api = "dated" | "v1";

export interface ChatRoute {
  kind: "chat";
  api: Api;
  /** Null for v1, where the body's `model` names the deployment. */
  deployment: string | null;
  /** Null where the query names none (v1 only). */
  apiVersion: string | null;
}

export type Route = ChatRoute | { kind: "identity" } | { kind: "unknown"; apiVersion: string | null };

export const identityPath = "/msi/token";
const chatPath = /^\/openai\/deployments\/([^/]{1,64})\/chat\/completions$/;
const datedVersion = /^\d{4}-\d{2}-\d{2}(-preview)?$/;
const v1Versions: readonly (string | null)[] = [null, "preview", "latest", "v1"];
const firstVersionWithAudio = "2025-01-01";

/** What a request is for. A wrong path, method or version is `unknown`, as the provider answers all of them with 404. */
export function findRoute(method: string, target: string): Route {
  // An endpoint setting that ends in a slash doubles the first one.
  const [rawPath = "", query = ""] = target.split("?", 2);
  const path = rawPath.replace(/^\/+/, "/");
  const apiVersion = new URLSearchParams(query).get("api-version");
  if (method === "GET" && path === identityPath) return { kind: "identity" };
  return (method === "POST" ? chatRoute(path, apiVersion) : null) ?? { kind: "unknown", apiVersion };
}

function chatRoute(path: string, apiVersion: string | null): ChatRoute | null {
  if (path === "/openai/v1/chat/completions" && v1Versions.includes(apiVersion)) {
    return { kind: "chat", api: "v1", deployment: null, apiVersion };
  }
  const deployment = decoded(chatPath.exec(path)?.[1]);
  if (deployment === null || apiVersion === null || !datedVersion.test(apiVersion)) return null;
  return { kind: "chat", api: "dated", deployment, apiVersion };
}

function decoded(segment: string | undefined): string | null {
  if (segment === undefined) return null;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Dated versions before the first one with audio know neither `modalities` nor `audio`. */
export function knowsAudio(route: ChatRoute): boolean {
  return route.api === "v1" || (route.apiVersion ?? "") >= firstVersionWithAudio;
}
