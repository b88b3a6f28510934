import { useEffect, useState } from "react";

/** Whole seconds until an instant, counting down to 0; 0 without one. */
export function useSecondsUntil(instant: string | null): number {
  const [now, setNow] = useState(() => Date.now());
  const seconds = instant === null ? 0 : Math.max(0, Math.ceil((Date.parse(instant) - now) / 1000));
  const isOver = seconds === 0;
  useEffect(() => {
    if (isOver) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOver]);
  return seconds;
}
