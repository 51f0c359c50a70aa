import type { ErrorEntry } from "./entry.ts";

/** What subscribers of events are told. */
export const eventsErrors = {
  EVENTS_CURSOR_INVALID: {
    status: 400,
    user: "`after` and `Last-Event-ID` take the id of an event as it was received, or 0 for all that is kept.",
    operator: "A subscriber asked for events after something that is no position.",
  },
  EVENTS_CURSOR_EXPIRED: {
    status: 410,
    user: "The events after this position are not kept any more. Read the present state, then go on from the earliest position that is kept.",
    operator:
      "A subscriber was away longer than events are kept (14 days or 512 MB), or the log of events was begun anew. It has to read the present state over the API; the message names the earliest position.",
  },
  EVENTS_TOO_MANY_STREAMS: {
    status: 429,
    user: "Too many event streams are open. Close one, or try again in a moment.",
    operator:
      "A process of web serves `web.eventStreams` streams, and `web.eventStreamsPerOwner` of one user or service. Start another replica, or use one stream with several types.",
    retryable: true,
  },
  EVENTS_NOT_KEPT: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator:
      "`events.sqlite` in the data directory cannot be read or written: is the disk full, is the file another account's? Until then events wait in the store.",
    retryable: true,
  },
} as const satisfies Record<string, ErrorEntry>;
