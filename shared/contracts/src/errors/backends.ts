import type { ErrorEntry } from "./entry.ts";

/** Bus and store. */
export const backendsErrors = {
  BUS_AWAY: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator: "No connection to the message bus. Check nats-server and `bus` in the configuration.",
    retryable: true,
  },
  BUS_NO_RESPONDERS: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator: "Nobody serves this order: is the service running? `elara run spawn`, `elara run auth`.",
    retryable: true,
  },
  BUS_TIMEOUT: {
    status: 503,
    user: "The hub did not answer in time. Try again in a moment.",
    operator:
      "An order got no answer within 2 s and three tries. Look at the log of the service named in the message.",
    retryable: true,
  },
  BUS_STREAM_MISSING: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator:
      "nats-server does not keep events: start it with JetStream (`--jetstream`), with room for the stream `elara-events` (512 MB). Until then events wait in the store.",
    retryable: true,
  },
  BUS_ACCOUNTS_MISSING: {
    status: 500,
    user: "",
    operator:
      "`bus.accounts` is on, but nats-server has not the hub's accounts: whoever reaches its port may give orders, and no subscriber from outside gets in. Write its configuration with `elara nats config`, or set bus.accounts: false.",
  },
  BUS_MESSAGE_TOO_LARGE: {
    status: 413,
    user: "The request is too large.",
    operator: "A message exceeded 256 KiB. Options or environment of a server are too big.",
  },
  BUS_MESSAGE_INVALID: {
    status: 500,
    user: "Internal Server Error",
    operator: "A message did not match its contract. Do all services run the same version?",
  },
  STORE_AWAY: {
    status: 503,
    user: "The hub cannot reach its database: running servers go on. Try again in a moment.",
    operator: "The store did not answer within 2 s. Check MongoDB and `store` in the configuration.",
    retryable: true,
  },
  STORE_CONFLICT: {
    status: 409,
    user: "Somebody else changed this at the same moment. Try again.",
    operator: "A unique key is taken.",
    retryable: true,
  },
  STORE_LOCKED: {
    status: 500,
    user: "The hub cannot start.",
    operator: "Another process holds the SQLite file. One hub per data directory; stop the other one.",
  },
  STORE_QUERY_INVALID: {
    status: 500,
    user: "Internal Server Error",
    operator: "A query used a field, operator or sort that the collection does not declare.",
  },
  STORE_CURSOR_INVALID: {
    status: 400,
    user: "This page is no longer there. Start from the first page.",
    operator: "The cursor was changed on its way, or belongs to another order.",
  },
  STORE_DOCUMENT_INVALID: {
    status: 500,
    user: "Internal Server Error",
    operator: "A service wrote a document that does not fit its collection; the log line names the field.",
  },
  STORE_FILE_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The SQLite file cannot be opened: no such folder, no permission, or no database. The log line has the cause.",
  },
  STORE_DOCUMENT_TOO_LARGE: {
    status: 413,
    user: "The request is too large.",
    operator: "A document exceeded 1 MB.",
  },
} as const satisfies Record<string, ErrorEntry>;
