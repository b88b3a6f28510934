import { pages, readPage } from "./pages.js";

/** A command that stands in a sentence or a table; nothing runs it. */
export interface InlineCommand {
  page: string;
  /** As it is written. */
  text: string;
  /** Which of package.json. */
  script: string;
  /** What stands before its options, such as `keys create`. */
  words: string[];
  /** `--name` of each option. */
  options: string[];
}

/** Commands of `npm run parley` that tables name without it. */
const ofParley = /^(?:keys|signing-keys|viewer-id|export|delete-person|receipts)(?: |$)/;

/** Options of Azure's own command line. */
const ofAzure: readonly string[] = ["--sku-capacity"];

const forms: readonly [RegExp, script: (match: RegExpExecArray, before: string) => string][] = [
  [/^npm run (?:--silent )?([\w:-]*\w)(?: --(?= |$))?/, ([, script = ""]) => script],
  [/^node dist\/cli\/parley\.js/, () => "parley"],
  [ofParley, () => "parley"],
  // Options by themselves are of the command that was named before them.
  [/^--(?= )|^(?=--\w)/, (_, before) => before],
];

export const inlineCommands: readonly InlineCommand[] = pages.flatMap(commandsOf);

function commandsOf(page: string): InlineCommand[] {
  const commands: InlineCommand[] = [];
  for (const text of inlineCode(page).filter((code) => !ofAzure.includes(code))) {
    const command = parse(page, text, commands.at(-1)?.script ?? "");
    if (command !== null) commands.push(command);
  }
  return commands;
}

/** In their order; what `&&` joins apart. */
function inlineCode(page: string): string[] {
  const prose = readPage(page).replaceAll(/^( *)```.*?^\1```$/gms, "");
  return [...prose.matchAll(/`([^`]+)`/g)].flatMap(([, code = ""]) =>
    code.split("&&").map((part) => part.trim().replaceAll(/\s+/g, " ")),
  );
}

function parse(page: string, text: string, before: string): InlineCommand | null {
  for (const [form, scriptOf] of forms) {
    const match = form.exec(text);
    if (match === null) continue;
    const rest = ofParley.test(text) ? text : text.slice(match[0].length);
    const [words = ""] = rest.split(/\[?--/, 1);
    return {
      page,
      text,
      script: scriptOf(match, before),
      words: words.split(" ").filter((word) => word !== "" && word !== "…"),
      options: rest.match(/--[a-z][\w-]*/g) ?? [],
    };
  }
  return null;
}
