import { HubError } from "@elara/contracts";
import type { Start } from "@elara/runtime/bus/accounts/event-gate";
import { isEventPattern } from "@elara/runtime/bus/accounts/subject-filters";

/** What a subscriber asks for; what it leaves out stays as it is. */
export interface PositionRequest {
  readonly start?: Start;
  readonly filters?: readonly string[];
}

const FIELDS = ["from", "sequence", "time", "filter"] as const;
const MAX_FILTERS = 100;
/** A nats-server counts times in nanoseconds, and not much further. */
const END_OF_TIMES = Date.UTC(2200);

const wrong = (field: string, message: string): HubError =>
  new HubError("SUBSCRIBER_POSITION_INVALID", { field, message: `${field}: ${message}` });

/** Reads `{ from, sequence, time, filter }`. Throws SUBSCRIBER_POSITION_INVALID, which names the field. */
export function positionRequest(body: unknown): PositionRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw wrong("(body)", "must be a JSON object");
  const unknown = Object.keys(body).find((key) => !FIELDS.some((field) => field === key));
  if (unknown !== undefined) throw wrong(unknown, `is not known; known are ${FIELDS.join(", ")}`);
  const { from, sequence, time, filter }: Partial<Record<(typeof FIELDS)[number], unknown>> = body;
  const start = startOf(from, sequence, time);
  return { ...(start ? { start } : {}), ...(filter === undefined ? {} : { filters: filtersOf(filter) }) };
}

function startOf(from: unknown, sequence: unknown, time: unknown): Start | undefined {
  if (sequence !== undefined && from !== "sequence") throw wrong("sequence", 'goes with from: "sequence"');
  if (time !== undefined && from !== "time") throw wrong("time", 'goes with from: "time"');
  if (from === undefined) return undefined;
  if (from === "all" || from === "new") return { from };
  if (from === "sequence") {
    const number = typeof sequence === "string" && /^\d{1,15}$/.test(sequence) ? Number(sequence) : sequence;
    if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 1)
      throw wrong("sequence", "must be a whole number, 1 or more: the position of the first event wanted");
    return { from, sequence: number };
  }
  if (from === "time") {
    const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
    if (!(at >= 0 && at < END_OF_TIMES))
      throw wrong("time", "must be a time such as 2026-11-23T08:00:00Z, of the years 1970 to 2199");
    return { from, time: new Date(at).toISOString() };
  }
  throw wrong("from", "must be all, new, sequence or time");
}

function filtersOf(filter: unknown): readonly string[] {
  const filters = Array.isArray(filter) ? filter : [filter];
  if (filters.length === 0 || filters.length > MAX_FILTERS)
    throw wrong("filter", `must be one subject or a list of 1 to ${MAX_FILTERS}`);
  return filters.map((each: unknown) => {
    if (typeof each !== "string" || !isEventPattern(each))
      throw wrong(
        "filter",
        "must be a subject such as hub.ev.v1.server.> (seven tokens, `*` and `>` allowed)",
      );
    return each;
  });
}
