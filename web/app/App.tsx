import { ConversationPane } from "./conversation/ConversationPane.js";
import { NewConversationPane } from "./conversation/NewConversationPane.js";
import { ConversationList } from "./list/ConversationList.js";
import { useWatched } from "./parts/use-watched.js";
import { place } from "./place.js";
import type { Place } from "./place-hash.js";
import { useServices } from "./services.js";

/** The list beside a conversation; on a narrow screen one of both. */
export function App() {
  const here = useWatched<Place>(place);
  return (
    <div className={`page at-${here.kind}`}>
      <Unreachable />
      <ConversationList place={here} />
      <main>
        {here.kind === "conversation" ? (
          <ConversationPane key={here.id} id={here.id} />
        ) : (
          <NewConversationPane />
        )}
      </main>
    </div>
  );
}

function Unreachable() {
  const { connection } = useServices();
  const isReachable = useWatched(connection.reachable);
  return (
    <div role="status" className="unreachable-place">
      {!isReachable && (
        <p className="unreachable">
          The server can&rsquo;t be reached. Trying again; what you write is kept.
        </p>
      )}
    </div>
  );
}
