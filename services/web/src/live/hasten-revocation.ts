import {
  ServerStopped,
  SessionEnded,
  TokenChanged,
  TokenRevoked,
  UserDeleting,
  UserUpdated,
} from "@elara/contracts";
import type { Bus, Subscription } from "@elara/runtime/bus/bus";
import type { IdentityReader } from "@elara/runtime/store/read/identity";
import type { Logger } from "pino";

/**
 * Reads the revocation marks as soon as somebody says there are new ones, instead of at the next look. Only hastens:
 * the marks are read anyway, also when no event comes.
 */
export function hastenRevocation(
  bus: Bus,
  identities: Pick<IdentityReader, "refresh">,
  log: Logger,
): { close(): Promise<void> } {
  const look = (): Promise<void> =>
    identities.refresh().catch((error: unknown) => log.debug({ err: error }, "marks not read at once"));
  const subscriptions: Subscription[] = [
    bus.subscribe(TokenRevoked, look),
    bus.subscribe(TokenChanged, look),
    bus.subscribe(SessionEnded, look),
    bus.subscribe(UserUpdated, look),
    bus.subscribe(UserDeleting, look),
    bus.subscribe(ServerStopped, look),
  ];
  return {
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
    },
  };
}
