/** Where in the year somebody is, by UTC: days and months of budgets are the same on every server. */
export interface Calendar {
  /** As 2026-11-26, and so are the other days. */
  today: string;
  yesterday: string;
  firstOfMonth: string;
  /** When the next day and the next month begin. */
  dayEnds: Date;
  monthEnds: Date;
}

const dayMs = 24 * 60 * 60 * 1000;

export function calendarOf(now: Date): Calendar {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  return {
    today: dayOf(now),
    yesterday: dayOf(new Date(now.getTime() - dayMs)),
    firstOfMonth: dayOf(new Date(Date.UTC(year, month, 1))),
    dayEnds: new Date(Date.UTC(year, month, day + 1)),
    monthEnds: new Date(Date.UTC(year, month + 1, 1)),
  };
}

export function dayOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}
