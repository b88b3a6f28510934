import { useDeferredValue, useState } from "react";
import type { MouseEvent } from "react";

import { Account } from "../account/Account.js";
import { Icon } from "../parts/Icon.js";
import { asMoment } from "../parts/format.js";
import { useWatched } from "../parts/use-watched.js";
import { go } from "../place.js";
import { hashOf } from "../place-hash.js";
import type { Place } from "../place-hash.js";
import { untitled } from "../conversation/Title.js";
import { useServices } from "../services.js";
import { Provider } from "./Provider.js";
import { useConversationList } from "./use-conversation-list.js";
import type { ListedConversation } from "./use-conversation-list.js";

const maxSearchLength = 200;

/** The saved conversations: search, open, begin another. */
export function ConversationList({ place }: { place: Place }) {
  const [search, setSearch] = useState("");
  const [archived, setArchived] = useState(false);
  const list = useConversationList(useDeferredValue(search), archived);
  const isConnected = useWatched(useServices().connection.state) === "well";
  const current = place.kind === "conversation" ? place.id : null;
  return (
    <nav className="list" aria-label="Conversations" tabIndex={-1}>
      <header className="list-header">
        <h1>Parley</h1>
        <a className="button primary" href={hashOf({ kind: "new" })} onClick={arriveAtNew}>
          <Icon name="new" /> New
        </a>
      </header>
      <div className="filters">
        <input
          type="search"
          aria-label="Search by name"
          placeholder="Search names"
          value={search}
          maxLength={maxSearchLength}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <select
          aria-label="Which conversations"
          value={archived ? "archived" : "saved"}
          onChange={(event) => setArchived(event.currentTarget.value === "archived")}
        >
          <option value="saved">Saved</option>
          <option value="archived">Archived</option>
        </select>
      </div>
      <ul>
        {list.conversations.map((conversation) => (
          <Item
            key={conversation.id}
            conversation={conversation}
            isCurrent={conversation.id === current}
            isAnswering={isConnected && conversation.activeTurn !== null}
          />
        ))}
      </ul>
      <Remark {...list} isSearch={search.trim() !== ""} archived={archived} />
      {list.hasMore && (
        <button type="button" className="quiet" onClick={() => void list.readMore().catch(() => undefined)}>
          Show more of {list.totalCount}
        </button>
      )}
      <Account />
      <Provider />
    </nav>
  );
}

/** Also where it is there already, and the browser does nothing: the message gets the focus. */
function arriveAtNew({ ctrlKey, metaKey, shiftKey }: MouseEvent): void {
  // The browser opens another tab or window.
  if (!ctrlKey && !metaKey && !shiftKey) go({ kind: "new" });
}

interface ItemProps {
  conversation: ListedConversation;
  isCurrent: boolean;
  /** False, too, without a connection: what the server does by now nobody knows. */
  isAnswering: boolean;
}

function Item({ conversation, isCurrent, isAnswering }: ItemProps) {
  const { id, title, lastActivityAt } = conversation;
  return (
    <li>
      <a href={hashOf({ kind: "conversation", id })} aria-current={isCurrent ? "page" : undefined}>
        <span className="name" dir="auto">
          {title ?? untitled}
        </span>
        <span className="moment">
          {isAnswering ? <span className="active">answering</span> : asMoment(lastActivityAt)}
        </span>
      </a>
    </li>
  );
}

interface RemarkProps extends Pick<
  ReturnType<typeof useConversationList>,
  "conversations" | "loading" | "problem"
> {
  isSearch: boolean;
  archived: boolean;
}

function Remark({ conversations, loading, problem, isSearch, archived }: RemarkProps) {
  if (problem !== null && conversations.length === 0) return <p className="remark">{problem.message}</p>;
  if (conversations.length > 0) return null;
  if (loading) return <p className="remark late">Reading what is saved…</p>;
  if (isSearch) return <p className="remark">No conversation has a name like that.</p>;
  if (archived) return <p className="remark">Nothing is archived.</p>;
  return (
    <>
      <p className="remark">Nothing is saved yet.</p>
      <a className="button primary narrow-only" href={hashOf({ kind: "new" })}>
        <Icon name="microphone" /> Say or ask something
      </a>
    </>
  );
}
