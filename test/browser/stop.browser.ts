import { expect, it } from "@jest/globals";
import { TestParley } from "../helpers/parley.js";
import { sharedBrowser } from "./pages.js";
import { ask, eventually, parts, turnAt } from "./parts.js";

const { openPage } = sharedBrowser();

it("An answer that is stopped while it is heard stays at the place where it was heard last", async () => {
  const parley = await TestParley.start("sqlite", { standIn: { speech: "flite" } });
  const page = await openPage(parley.url);
  const pause = parley.standIn.pauseNext("after-first-audio");
  await ask(page, "Please count to 20.");
  const voice = parts.voice(turnAt(page, 1));
  const place = () => voice.getByRole("slider").inputValue().then(Number);
  await eventually(place, (seconds) => seconds > 0);
  await parts.stop(page).click();
  await turnAt(page, 1).getByText("Stopped.").waitFor();
  pause.release();
  expect(await place()).toBeGreaterThan(0);
});
