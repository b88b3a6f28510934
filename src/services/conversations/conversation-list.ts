import type { DatabaseClient } from "../../db/database.js";
import { cursorConditions, parsePage, readsDescending, toPage } from "../../db/pagination.js";
import type { Keyset, Page, PageArguments } from "../../db/pagination.js";
import type { ConversationRow } from "../../db/rows.js";
import { ParleyError } from "../../errors.js";
import { titleKey } from "./title.js";

export interface ConversationFilter {
  /** Null: archived or not. */
  archived?: boolean | null | undefined;
  search?: string | null | undefined;
}

export interface ConversationOrder {
  field: "LAST_ACTIVITY_AT" | "CREATED_AT" | "TITLE";
  direction: "ASC" | "DESC";
}

const searchMaxLength = 200;

/** A page of the conversations of whoever the client is bound to. */
export async function listConversations(
  client: DatabaseClient,
  page: PageArguments,
  filter: ConversationFilter,
  order: ConversationOrder,
): Promise<Page<ConversationRow>> {
  const { column, ...keyset } = keysetOf(order);
  const request = parsePage(page, keyset);
  const matching = {
    ...archivedCondition(filter.archived),
    ...searchCondition(filter.search),
  };
  const direction = readsDescending(request, keyset) ? "desc" : "asc";
  const rows = await client.conversation.findMany({
    where: { AND: [matching, ...cursorConditions(request, keyset, column)] },
    orderBy: [{ [column]: direction }, { id: direction }],
    take: request.take,
  });
  return toPage(rows, request, keyset, () => client.conversation.count({ where: matching }));
}

function keysetOf({ field, direction }: ConversationOrder): Keyset<ConversationRow> & { column: string } {
  const common = { name: `conversations ${field} ${direction}`, descending: direction === "DESC" };
  switch (field) {
    case "LAST_ACTIVITY_AT":
      return {
        ...common,
        type: "instant",
        column: "lastActivityAt",
        key: (row) => ({ value: row.lastActivityAt, id: row.id }),
      };
    case "CREATED_AT":
      return {
        ...common,
        type: "instant",
        column: "createdAt",
        key: (row) => ({ value: row.createdAt, id: row.id }),
      };
    case "TITLE":
      return {
        ...common,
        type: "text",
        column: "titleKey",
        key: (row) => ({ value: row.titleKey, id: row.id }),
      };
  }
}

function archivedCondition(archived: boolean | null | undefined) {
  if (archived == null) return {};
  return { archivedAt: archived ? { not: null } : null };
}

function searchCondition(search: string | null | undefined) {
  if (search == null || search === "") return {};
  if (search.length > searchMaxLength || search.includes("\0") || !search.isWellFormed()) {
    throw new ParleyError(
      "BAD_USER_INPUT",
      `filter.search must be well-formed text of at most ${searchMaxLength} characters.`,
    );
  }
  return { titleKey: { contains: titleKey(search) } };
}
