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

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
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
