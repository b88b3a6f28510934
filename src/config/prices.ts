import { readFileSync } from "node:fs";
import { z } from "zod";

const unit = "a number, USD for 1,000,000 tokens";
const kinds = ["textInput", "textOutput", "audioInput", "audioOutput", "cachedInput"];

const price = z
  .number({ error: ({ input }) => (input === undefined ? `is missing: ${unit}` : `must be ${unit}`) })
  .nonnegative({ error: `must not be below 0: ${unit}` });

const priceSchema = z.strictObject(
  {
    textInput: price,
    textOutput: price,
    audioInput: price,
    audioOutput: price,
    /** Default: textInput. */
    cachedInput: price.optional(),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `has ${issue.keys.join(", ")}, but prices are ${kinds.join(", ")}`
        : "must be an object with the prices of a deployment or model",
  },
);

const pricesSchema = z.record(z.string().min(1), priceSchema, {
  error: "must be an object whose keys are names of deployments or models",
});

/** USD for 1,000,000 tokens of each kind. */
export interface Price {
  textInput: number;
  textOutput: number;
  audioInput: number;
  audioOutput: number;
  cachedInput: number;
}

/** By the model's name as the provider tells it, or by the deployment's name; the deployment's name wins. */
export type Prices = ReadonlyMap<string, Price>;

/**
 * Reads a PRICES_FILE: a JSON object of model or deployment names.
 * @throws an Error that names the entry at fault
 */
export function readPrices(path: string): Prices {
  const parsed = pricesSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw new Error(parsed.error.issues.map(describeIssue).join("; "));
  return new Map(
    Object.entries(parsed.data).map(([name, entry]) => [
      name,
      { ...entry, cachedInput: entry.cachedInput ?? entry.textInput },
    ]),
  );
}

function describeIssue(issue: { path: PropertyKey[]; message: string }): string {
  return `${issue.path.map(String).join(".") || "the file"} ${issue.message}`;
}
