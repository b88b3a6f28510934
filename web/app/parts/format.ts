/** `1:05` for 65 seconds. */
export function asDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** `5 seconds`, `1 minute 5 seconds`: as a screen reader should say it. */
export function spokenDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = plural(whole % 60, "second");
  return minutes === 0 ? rest : `${plural(minutes, "minute")} ${rest}`;
}

/** `1 turn`, `2 turns`. */
export function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** `12 kB`, `3.4 MB`: thousands, as browsers count in their lists of downloads. */
export function asSize(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} kB`;
  const [size, unit] = bytes < 1_000_000_000 ? [bytes / 1_000_000, "MB"] : [bytes / 1_000_000_000, "GB"];
  return `${size.toFixed(1)} ${unit}`;
}

/** When something can be tried again: `in 20 seconds`, `in 5 minutes`, and from an hour on the moment itself. */
export function afterWait(waitMs: number, now = new Date()): string {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  if (seconds < 60) return `in ${plural(seconds, "second")}`;
  if (seconds < 3600) return `in ${plural(Math.ceil(seconds / 60), "minute")}`;
  const moment = new Date(now.getTime() + waitMs);
  const time = moment.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const isToday = moment.toDateString() === now.toDateString();
  return isToday ? `at ${time}` : `on ${asMoment(moment.toISOString(), now)} at ${time}`;
}

/** The time of today, else the day. */
export function asMoment(iso: string, now = new Date()): string {
  const moment = new Date(iso);
  const isToday = moment.toDateString() === now.toDateString();
  if (isToday) return moment.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  const isThisYear = moment.getFullYear() === now.getFullYear();
  return moment.toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    ...(isThisYear ? {} : { year: "numeric" }),
  });
}
