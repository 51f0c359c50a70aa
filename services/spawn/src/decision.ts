import type { Doc, EventContract, servers } from "@elara/contracts";
import type { Change, PendingEvent } from "@elara/runtime/store/store";
import type { Static } from "typebox";

export type ServerDoc = Doc<typeof servers>;
export type ServerSet = Change<ServerDoc>["set"];

/** A change that somebody decided on, with the events that tell of it. */
export interface Decision {
  readonly set: ServerSet;
  readonly events?: readonly PendingEvent[];
}

/** Makes an event about this server. */
export type EventMaker = <E extends EventContract>(
  contract: E,
  doc: ServerDoc | Omit<ServerDoc, "rev">,
  data: Static<E["data"]>,
  actor: string,
) => PendingEvent;
