import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "@jest/globals";
import type { Env } from "../../src/config/env.js";
import type { DatabaseKind } from "./databases.js";
import { addTextTurn } from "./operations.js";
import type { Asked, Turn } from "./operations.js";
import { TestParley, sendOperation } from "./parley.js";
import type { GraphqlAnswer } from "./parley.js";
import { temporaryFolder } from "./parley-process.js";
import type { Sql } from "./sql.js";
import { openSql } from "./sql.js";

export interface Period {
  limitMicroUsd: number;
  spentMicroUsd: number;
  reservedMicroUsd: number;
  remainingMicroUsd: number;
  resetsAt: string;
}

export type SharedPeriod = Pick<Period, "limitMicroUsd" | "remainingMicroUsd" | "resetsAt">;

export interface Budget {
  viewerDay: Period | null;
  viewerMonth: Period | null;
  tenantDay: SharedPeriod | null;
  tenantMonth: SharedPeriod | null;
}

export const readBudget = /* GraphQL */ `
  query {
    viewer {
      budget {
        viewerDay {
          ...Own
        }
        viewerMonth {
          ...Own
        }
        tenantDay {
          ...Shared
        }
        tenantMonth {
          ...Shared
        }
      }
    }
  }
  fragment Own on BudgetPeriod {
    limitMicroUsd
    spentMicroUsd
    reservedMicroUsd
    remainingMicroUsd
    resetsAt
  }
  fragment Shared on SharedBudgetPeriod {
    limitMicroUsd
    remainingMicroUsd
    resetsAt
  }
`;

export async function budgetOf(parley: Asked): Promise<Budget> {
  const { viewer } = await parley.ask<{ viewer: { budget: Budget | null } }>(readBudget);
  if (viewer.budget === null) throw new Error("there is no budget");
  return viewer.budget;
}

/** The viewer's own of today, which must be set. */
export async function today(parley: Asked): Promise<Period> {
  const { viewerDay } = await budgetOf(parley);
  if (viewerDay === null) throw new Error("the viewer has no budget for a day");
  return viewerDay;
}

export const price = { textInput: 2.5, textOutput: 10, audioInput: 32, audioOutput: 64 };

/** The settings of a server with these budgets, in millionths of a US dollar, and prices for the deployment of the tests. */
export async function budgetSettings(limits: Readonly<Record<string, number>>): Promise<Env> {
  const path = join(await temporaryFolder(), "prices.json");
  await writeFile(path, JSON.stringify({ "test-deployment": price }));
  const env: Record<string, string> = { PRICES_FILE: path };
  for (const [name, microUsd] of Object.entries(limits)) env[`BUDGET_${name}_USD`] = usd(microUsd);
  return env;
}

function usd(microUsd: number): string {
  return `${Math.floor(microUsd / 1e6)}.${String(microUsd % 1e6).padStart(6, "0")}`;
}

export async function parleyWithBudget(
  kind: DatabaseKind,
  limits: Readonly<Record<string, number>>,
  env: Env = {},
): Promise<TestParley> {
  return TestParley.start(kind, { env: { ...(await budgetSettings(limits)), ...env } });
}

/** What is reserved for `question` in a conversation that it begins: a token for each byte, 16 for the message and for the request, 4,096 of sound. */
export const question = "Say 'one two'.";
export const oneTurn = Math.ceil((question.length + 32) * price.textInput + 4_096 * price.audioOutput);

export type Added = GraphqlAnswer<{ addTextTurn: { turn: Turn } } | null>;

/** Adds a turn that may be refused. */
export function tryByText(
  parley: { url: string },
  conversationId: string,
  more: object = {},
): Promise<Added> {
  return sendOperation(parley.url, addTextTurn, { input: { conversationId, text: question, ...more } });
}

export function codesOf(answers: readonly Added[]): string[] {
  return answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
}

/** Nothing is held any more, and the sums of today are those of the calls. Answers what they are. */
export async function expectTrueBooks(parley: { databaseUrl: string }): Promise<number> {
  const sql = await openSql(parley.databaseUrl);
  expect(await sql('SELECT * FROM "BudgetReservation"')).toEqual([]);
  const sums = await sumOf(sql, '"SpendDay" WHERE "scope" LIKE \'viewer:%\'');
  expect(sums).toBe(await sumOf(sql, '"ModelCall"'));
  return sums;
}

async function sumOf(sql: Sql, from: string): Promise<number> {
  const rows = await sql(`SELECT SUM("costMicroUsd") AS "sum" FROM ${from}`);
  const [{ sum }] = rows as [{ sum: number | string | null }];
  return Number(sum ?? 0);
}
