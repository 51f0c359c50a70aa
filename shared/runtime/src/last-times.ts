import type { LastTimes } from "@elara/contracts";

const KINDS = ["traffic", "report", "use"] as const;

/** The later of both, kind by kind; undefined when `next` brings nothing new. Times later than `now`, if given, count as now. */
export function mergeTimes(
  known: LastTimes | undefined,
  next: LastTimes,
  now?: string,
): LastTimes | undefined {
  const merged: LastTimes = { ...known };
  let isNews = false;
  for (const kind of KINDS) {
    const given = next[kind];
    if (given === undefined) continue;
    const time = now !== undefined && given > now ? now : given;
    if (time <= (merged[kind] ?? "")) continue;
    merged[kind] = time;
    isNews = true;
  }
  return isNews ? merged : undefined;
}
