import { subjectFilters } from "@elara/runtime/scopes/event-reach";
import { readEventReach } from "@elara/runtime/store/read/event-reach";
import type { Store } from "@elara/runtime/store/store";
import type { AllowedOf } from "./standing.ts";

/** The same rule as the hub's own stream of events keeps, as subjects. */
export function allowedSubjects(store: Store): AllowedOf {
  return async ({ scopes }) => {
    const filters = subjectFilters(await readEventReach(store, scopes));
    return filters.by === "subjects"
      ? { subjects: filters.subjects, tooMany: false }
      : { subjects: [], tooMany: true };
  };
}
