import type { Viewer } from "../../auth/viewer.js";
import type { Prices } from "../../config/prices.js";
import type { DatabaseClient } from "../../db/database.js";
import { ownedClient } from "../../db/owned-client.js";
import type { Page, PageArguments } from "../../db/pagination.js";
import type { AudioClipRow, ConversationRow, TurnRow } from "../../db/rows.js";
import type { BudgetPeriod } from "../budgets/budget-periods.js";
import type { Budgets } from "../budgets/budgets.js";
import { listConversations } from "../conversations/conversation-list.js";
import type { ConversationFilter, ConversationOrder } from "../conversations/conversation-list.js";
import { listTurns } from "../turns/turn-list.js";
import { noUsage, sumUsage } from "../usage/usage.js";
import type { UsageSums } from "../usage/usage.js";
import { createLoaders } from "./loaders.js";
import type { Loaders } from "./loaders.js";

/** Everything that one viewer can read. What is not theirs reads like what is not there. */
export class ViewerReading {
  readonly viewer: Viewer;
  readonly #client: DatabaseClient;
  readonly #prices: Prices;
  readonly #budgets: Budgets | null;
  #loaders: Loaders;

  constructor(client: DatabaseClient, prices: Prices, budgets: Budgets | null, viewer: Viewer) {
    this.#client = client;
    this.#prices = prices;
    this.#budgets = budgets;
    this.viewer = viewer;
    this.#loaders = createLoaders(client, prices, viewer);
  }

  /** Rows by id, read once until `forget`. */
  get loaders(): Loaders {
    return this.#loaders;
  }

  /** What was read is read anew: a mutation has changed it. */
  forget(): void {
    this.#loaders = createLoaders(this.#client, this.#prices, this.viewer);
  }

  conversations(
    page: PageArguments,
    filter: ConversationFilter,
    order: ConversationOrder,
  ): Promise<Page<ConversationRow>> {
    return listConversations(ownedClient(this.#client, this.viewer), page, filter, order);
  }

  /** Of a conversation that was read here before. */
  turnsOf(conversation: ConversationRow, page: PageArguments): Promise<Page<TurnRow>> {
    return listTurns(this.#loaders, conversation, page);
  }

  clip(id: string): Promise<AudioClipRow | null> {
    return this.#loaders.clip.load(id);
  }

  /** How each budget stands that holds for the viewer; null where none is set. */
  async budgets(): Promise<BudgetPeriod[] | null> {
    return (await this.#budgets?.periods(this.viewer)) ?? null;
  }

  async usage(): Promise<UsageSums> {
    const sums = await sumUsage(this.#client, "ownerId", [this.viewer.id]);
    return sums.get(this.viewer.id) ?? noUsage(this.#prices);
  }
}
