import { Icon } from "../parts/Icon.js";
import { Notice } from "../parts/Notice.js";
import { RetryButton } from "../parts/RetryButton.js";
import { asSize } from "../parts/format.js";
import { useKeptFocus } from "../parts/use-kept-focus.js";
import { useWatched } from "../parts/use-watched.js";
import { useServices } from "../services.js";
import { exportPath } from "./data-export.js";
import type { DataExport, ExportState } from "./data-export.js";

/** Where nobody signs in the browser itself downloads it, straight to disk; else the page does, since only it can say who asks. */
export function Download({ isSignedIn }: { isSignedIn: boolean }) {
  return isSignedIn ? <ExportDownload /> : <ExportLink />;
}

function ExportLink() {
  return (
    <>
      <a className="button" href={exportPath} download>
        <Icon name="download" /> Download everything
      </a>
      <p className="remark">
        The browser&rsquo;s list of downloads shows how far it is. If it fails there, another one may be under
        way: try again when that has ended.
      </p>
    </>
  );
}

function ExportDownload() {
  const { dataExport } = useServices();
  const state = useWatched(dataExport.state);
  const keptFocus = useKeptFocus<HTMLDivElement>((container) => container.querySelector("button"));
  return (
    <div {...keptFocus}>
      {state.kind === "failed" && <Notice>Nothing was saved. {state.problem.message}</Notice>}
      <p role="status" className="remark">
        {state.kind === "running" &&
          "It goes on when you close these settings, until you close or reload the tab."}
        {state.kind === "done" && `All of it has come, ${asSize(state.bytes)}. The browser saves it.`}
      </p>
      <DownloadButton state={state} dataExport={dataExport} />
    </div>
  );
}

function DownloadButton({ state, dataExport }: { state: ExportState; dataExport: DataExport }) {
  const download = () => void dataExport.download();
  if (state.kind === "running") {
    return (
      <div className="downloading">
        <progress aria-label="Download" />
        <span>{asSize(state.bytes)}</span>
        <button type="button" onClick={() => dataExport.cancel()}>
          Cancel
        </button>
      </div>
    );
  }
  if (state.kind === "failed" && state.problem.retryable)
    return <RetryButton label="Try again" retryAt={state.problem.retryAt} onRetry={download} />;
  return (
    <button type="button" onClick={download}>
      <Icon name="download" /> Download everything
    </button>
  );
}
