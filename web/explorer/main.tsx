import { GraphiQL } from "graphiql";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

import { firstConversation } from "../../src/http/first-conversation.js";
import { clipUrls } from "./clip-urls.js";
import { createFetcher } from "./fetcher.js";
import { registerWorkers } from "./workers.js";

import "graphiql/style.css";
import "./explorer.css";

const defaultTabs = firstConversation.map(({ document, variables }) => ({
  query: document,
  variables: Object.keys(variables).length === 0 ? "" : JSON.stringify(variables, null, 2),
}));
// GraphiQL shows the first default tab without its variables unless they are given once more. In a later visit they
// would open one tab more beside those that it remembers.
const firstVariables = isFirstVisit() ? defaultTabs[0]?.variables : undefined;

function isFirstVisit(): boolean {
  try {
    return localStorage.getItem("graphiql:tabState") === null;
  } catch {
    // Storage is blocked, so nothing is remembered.
    return true;
  }
}

function Explorer() {
  const [clips, setClips] = useState<readonly string[]>([]);
  const fetcher = useMemo(() => createFetcher((answer) => setClips(clipUrls(answer))), []);
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={defaultTabs}
      {...(firstVariables !== undefined && { initialVariables: firstVariables })}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>Parley</GraphiQL.Logo>
      <GraphiQL.Footer>
        <Clips urls={clips} />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

/** A player for every piece of sound in the last answer. */
function Clips({ urls }: { urls: readonly string[] }) {
  if (urls.length === 0) return null;
  return (
    <div className="clips">
      {urls.map((url) => (
        <audio key={url} controls preload="metadata" src={url} />
      ))}
    </div>
  );
}

registerWorkers();
const container = document.getElementById("explorer");
if (container !== null) createRoot(container).render(<Explorer />);
