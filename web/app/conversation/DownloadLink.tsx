import type { MouseEvent } from "react";

import { downloadPath } from "../audio/clip-address.js";
import type { ClipSource } from "../audio/clip-address.js";
import { Icon } from "../parts/Icon.js";
import { useServices } from "../services.js";

/** Downloads a clip; where people sign in, from an address that is read anew, since the one that is known may have ended. */
export function DownloadLink({ clip }: { clip: ClipSource }) {
  const { clips, signIn } = useServices();
  const download = (event: MouseEvent) => {
    if (signIn.credential === null) return;
    event.preventDefault();
    clips.readAnew(clip).then(save, () => save(clip));
  };
  return (
    <a
      className="icon-button"
      href={downloadPath(clip)}
      download
      aria-label="Download"
      title="Download"
      onClick={download}
    >
      <Icon name="download" />
    </a>
  );
}

function save(clip: ClipSource): void {
  const link = document.createElement("a");
  link.href = downloadPath(clip);
  link.download = "";
  link.click();
}
