import { useEffect } from "react";

const site = "Parley";

/** Names the tab, and the entry of the browser's history, after what is shown; null for the page itself. */
export function usePageTitle(title: string | null): void {
  useEffect(() => {
    document.title = title === null ? site : `${title} – ${site}`;
    return () => {
      document.title = site;
    };
  }, [title]);
}
