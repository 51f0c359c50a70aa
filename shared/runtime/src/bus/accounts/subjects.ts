import { createHash } from "node:crypto";
import { EVENT_STREAM } from "../nats-stream.ts";

/** Accounts of the nats-server. */
export const ACCOUNTS = { hub: "INTERNAL", outside: "PUBLIC", system: "SYS" } as const;

/** What a subscriber asks to get its consumer, or to have it stand elsewhere. */
export const POSITION_SUBJECT = "elara.events.position";

/** Where a subscriber asks for the next messages. */
export const nextSubject = (consumer: string): string =>
  `$JS.API.CONSUMER.MSG.NEXT.${EVENT_STREAM}.${consumer}`;

/** Where a subscriber says that it has a message. */
export const ackSubject = (consumer: string): string => `$JS.ACK.${EVENT_STREAM}.${consumer}`;

/** The inbox prefix that the holder of a token has: nobody else can make it, and it does not tell the token. */
export const inboxPrefixOf = (token: string): string =>
  `_INBOX_${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
