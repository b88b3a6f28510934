import type { BrowserContext, Locator, Page, WebSocket } from "playwright-core";
import { eventually } from "./parts.js";

/** What GraphiQL shows for an operation, or for the last event of a subscription. */
export interface Shown<Data> {
  data?: Data | null;
  errors?: unknown;
}

/** A message of the protocol graphql-transport-ws. */
export interface Frame<Data> {
  type: string;
  payload?: Shown<Data>;
}

/** A WebSocket that the page has opened, with what went over it. */
export interface Socket<Data> {
  url: string;
  sent: Frame<Data>[];
  received: Frame<Data>[];
}

/** How GraphiQL calls its editors. */
type Editor = "Operation Editor" | "Variables" | "Result Window";

/** GraphiQL as somebody uses it: with mouse, keyboard and clipboard. `Data` is what its answers and events hold. */
export class Explorer<Data> {
  readonly page: Page;
  /** What the console told, warnings included, and what the server refused. */
  readonly complaints: string[] = [];
  readonly sockets: Socket<Data>[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    page.on("response", (response) => {
      if (!response.ok()) this.complaints.push(`${response.status()} ${response.url()}`);
    });
    page.on("websocket", (socket) => this.sockets.push(noted<Data>(socket)));
  }

  /** In the only tab of a window, which may use the clipboard from now on. */
  static async open<Data>(window: BrowserContext, origin: string): Promise<Explorer<Data>> {
    await window.grantPermissions(["clipboard-read", "clipboard-write"]);
    const explorer = new Explorer<Data>(await window.newPage());
    await explorer.page.goto(`${origin}/graphiql`);
    await explorer.execute.waitFor();
    return explorer;
  }

  get execute(): Locator {
    return this.page.getByRole("button", { name: /^Execute query/ });
  }

  /** Pastes variables and then the operations that they are for, into a new tab of GraphiQL. */
  async paste(operations: string, variables: string): Promise<void> {
    await this.page.getByRole("button", { name: "New tab" }).click();
    await this.pasteVariables(variables);
    await this.#paste("Operation Editor", operations);
  }

  /** Over those that are there. */
  async pasteVariables(variables: string): Promise<void> {
    const pasteAndRead = async () => {
      await this.#paste("Variables", variables);
      return this.#copy("Variables");
    };
    await eventually(pasteAndRead, (copied) => copied === variables);
  }

  /** Runs what the editor holds by the keyboard. */
  async run(): Promise<void> {
    await this.page.keyboard.press("ControlOrMeta+Enter");
  }

  /** Runs one of the operations that the editor holds. */
  async choose(operation: string): Promise<void> {
    // Before GraphiQL has seen that there are several, the button has no menu.
    await this.execute.and(this.page.locator("[aria-haspopup=menu]")).click();
    await this.page.getByRole("menuitem", { name: operation, exact: true }).click();
  }

  /** What is shown, as soon as it is what was expected. */
  async shown(isRight: (shown: Shown<Data>) => boolean): Promise<Shown<Data>> {
    const copied = await eventually(
      () => this.#copy("Result Window"),
      (text) => isRight(parsed<Data>(text)),
    );
    return parsed<Data>(copied);
  }

  async #paste(editor: Editor, text: string): Promise<void> {
    await this.#fillClipboard(text);
    await this.#content(editor).focus();
    await this.page.keyboard.press("ControlOrMeta+A");
    await this.page.keyboard.press("ControlOrMeta+V");
  }

  /** All of an editor: it draws only the lines that can be seen. */
  async #copy(editor: Editor): Promise<string> {
    await this.#fillClipboard("");
    await this.#content(editor).focus();
    await this.page.keyboard.press("ControlOrMeta+A");
    await this.page.keyboard.press("ControlOrMeta+C");
    return this.page.evaluate<string>("navigator.clipboard.readText()");
  }

  async #fillClipboard(text: string): Promise<void> {
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  }

  #content(editor: Editor): Locator {
    return this.page.getByRole("region", { name: editor }).getByRole("textbox");
  }
}

/** Nothing where there is no answer yet, or where one came while another was copied, which leaves a part of it. */
function parsed<Data>(text: string): Shown<Data> {
  try {
    return JSON.parse(text) as Shown<Data>;
  } catch {
    return {};
  }
}

function noted<Data>(socket: WebSocket): Socket<Data> {
  const { sent, received }: Pick<Socket<Data>, "sent" | "received"> = { sent: [], received: [] };
  const frameOf = (payload: string | Buffer) => JSON.parse(payload.toString()) as Frame<Data>;
  socket.on("framesent", ({ payload }) => sent.push(frameOf(payload)));
  socket.on("framereceived", ({ payload }) => received.push(frameOf(payload)));
  return { url: socket.url(), sent, received };
}
