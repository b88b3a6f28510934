import { GraphQLError, Kind } from "graphql";
import type { ASTVisitor, ValidationContext, ValidationRule } from "graphql";

/** Far above any operation that the cost limit lets through. */
export const maxLexicalTokens = 15_000;
/** How many mistakes of a document are told. */
export const maxErrors = 5;

/** Aliases in one document, `__typename` included: each is another execution of its field. */
const maxAliases = 15;
/** Directives at one place; none of the standard ones makes sense more than once. */
const maxDirectives = 5;
/** How often one field may be written under the same name in one selection set; clients merge them, attackers don't. */
const maxRepetitions = 10;

function limitAliases(context: ValidationContext): ASTVisitor {
  let count = 0;
  return {
    Field: (node) => {
      if (node.alias !== undefined) count += 1;
      if (count === maxAliases + 1)
        context.reportError(tooComplex(`A document may hold at most ${maxAliases} aliases.`));
    },
  };
}

function limitDirectives(context: ValidationContext): ASTVisitor {
  return {
    enter: (node) => {
      const directives = "directives" in node ? (node.directives ?? []) : [];
      if (directives.length > maxDirectives) {
        context.reportError(tooComplex(`At most ${maxDirectives} directives may stand at one place.`));
      }
    },
  };
}

function limitRepetitions(context: ValidationContext): ASTVisitor {
  return {
    SelectionSet: ({ selections }) => {
      const counts = new Map<string, number>();
      for (const selection of selections) {
        if (selection.kind !== Kind.FIELD) continue;
        const key = selection.alias?.value ?? selection.name.value;
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        if (count === maxRepetitions + 1) {
          context.reportError(
            tooComplex(`The field "${key}" is repeated more than ${maxRepetitions} times.`),
          );
        }
      }
    },
  };
}

/** Limits that a document must keep whatever its variables; see docs/limits.md. */
export const documentRules: readonly ValidationRule[] = [limitAliases, limitDirectives, limitRepetitions];

export function tooComplex(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "QUERY_TOO_COMPLEX", http: { status: 400 } } });
}
