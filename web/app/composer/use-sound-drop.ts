import { useEffect, useState } from "react";

/** Takes files that are dropped anywhere on the page; answers whether one is held over it now. */
export function useSoundDrop(onDropped: (file: File) => void): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    // Without it the browser would leave the page and open the file.
    const hold = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    window.addEventListener("dragover", hold, { signal });
    window.addEventListener(
      "dragleave",
      (event) => {
        // Null where it leaves the window, and not only one element for another.
        if (event.relatedTarget === null) setOver(false);
      },
      { signal },
    );
    window.addEventListener(
      "drop",
      (event) => {
        // Words that are dropped are the text box's.
        if (!hasFiles(event)) return;
        event.preventDefault();
        setOver(false);
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) onDropped(file);
      },
      { signal },
    );
    return () => ending.abort();
  }, [onDropped]);
  return over;
}

function hasFiles({ dataTransfer }: DragEvent): boolean {
  return dataTransfer?.types.includes("Files") === true;
}
