import { Watched } from "./client/watched.js";
import { hashOf, placeOf } from "./place-hash.js";
import type { Place } from "./place-hash.js";

const here = new Watched<Place>(placeOf(location.hash));
window.addEventListener("hashchange", () => {
  // It comes after `go`, too, which has told already.
  if (hashOf(here.get()) !== hashOf(placeOf(location.hash))) here.set(placeOf(location.hash));
});

/** Where the page is: the address after `#`, so that a reload, a bookmark and the back button lead there. */
export const place = { get: here.get, watch: here.watch };

export function go(next: Place): void {
  location.hash = hashOf(next);
  here.set(next);
}
