import type { ErrorEntry } from "./entry.ts";

/** What a subscriber over NATS can ask in vain. */
export const subscribersErrors = {
  SUBSCRIBER_POSITION_INVALID: {
    status: 400,
    user: "The position asked for is wrong.",
    operator:
      "A subscriber sent something malformed to `elara.events.position`; the message names the field.",
  },
  SUBSCRIBER_NOTHING_ALLOWED: {
    status: 403,
    user: "The token may read none of these events.",
    operator:
      "The token has no scope `read:events` for what the subscriber asked for. Give its service `read:events…` in `auth.services`, or make a token with that scope.",
  },
  SUBSCRIBER_FILTERS_MANY: {
    status: 409,
    user: "Too many users and servers for one subscription over NATS. Use GET /hub/api/events.",
    operator:
      "The scopes of the token name more than 100 users and servers; nats-server would look through the list for each event. Give a wider scope, or let the subscriber use GET /hub/api/events.",
  },
  SUBSCRIBER_CONSUMERS_MANY: {
    status: 409,
    user: "Too many tokens of yours follow events over NATS. Revoke those you no longer use.",
    operator:
      "A user or service has 20 consumers on the stream of events, one per token. One goes when its token is revoked or expires, or when nobody used it for 14 days.",
  },
  SUBSCRIBER_CONNECTIONS_MANY: {
    status: 429,
    user: "Too many connections to the events at a time.",
    operator:
      "A user or service has 20 connections to NATS; further ones are refused, with this code in the log of auth. Programs that share a consumer can share a connection; give others tokens of another service.",
  },
} satisfies Record<string, ErrorEntry>;
