import { useSecondsUntil } from "./use-seconds-until.js";

/** Waits up to this are counted down. */
const soonSeconds = 60;

interface Props {
  label: string;
  /** From when on it may go well, in the form of ISO 8601; null where nobody has said. */
  retryAt: string | null;
  onRetry: () => void;
}

/** Counts down where it is soon. What is further off may be allowed earlier all the same, by whoever runs the server. */
export function RetryButton({ retryAt, ...props }: Props) {
  // Counted anew for each moment.
  return <CountingButton key={retryAt} retryAt={retryAt} {...props} />;
}

function CountingButton({ label, retryAt, onRetry }: Props) {
  const seconds = useSecondsUntil(retryAt);
  const isSoon = seconds > 0 && seconds <= soonSeconds;
  return (
    <button
      type="button"
      className="primary"
      aria-disabled={isSoon}
      onClick={() => {
        if (!isSoon) onRetry();
      }}
    >
      {isSoon ? `${label} in ${seconds} s` : label}
    </button>
  );
}
