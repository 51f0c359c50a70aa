import { codeOf, TokenExpired, TokenRevoked } from "@elara/contracts";
import type { Attempt, EventGate, Pass } from "@elara/runtime/bus/accounts/event-gate";
import type { IdentityReader } from "@elara/runtime/store/read/identity";
import type { Ground } from "../ground.ts";
import { rounds } from "../upkeep/rounds.ts";
import { wrongTokens } from "./attempts.ts";
import { grantedFilters, positions } from "./positions.ts";
import { type AllowedOf, standings } from "./standing.ts";

/** How long a revoked token's connection can last when no event hastens its end. */
const CENSUS_MS = 2000;

export interface SubscribersOptions {
  readonly ground: Ground;
  readonly identities: IdentityReader;
  readonly gate: EventGate;
  readonly allowedOf: AllowedOf;
}

/** Keeps the gate: lets subscribers in by token, gives them their consumers, ends both when the token does. */
export function keepSubscribers({ ground, identities, gate, allowedOf }: SubscribersOptions) {
  const { bus, clock, config, log, records } = ground;
  const wrong = wrongTokens(config.throttle, clock);
  const standingsOf = standings(ground, identities, allowedOf);

  const refused = (address: string, reason: string): undefined => {
    log.warn({ address, reason }, "subscriber refused");
  };

  async function admit({ token, address }: Attempt): Promise<Pass | undefined> {
    if (token === "") return refused(address, "no token");
    if (wrong.tooMany(address)) return refused(address, "too many wrong tokens from there");
    const identity = await identities.byToken(token).catch((error: unknown) => {
      log.error({ err: error, code: codeOf(error) }, "subscriber not judged");
      throw error;
    });
    const subscriber = identity?.tokenId;
    if (!identity || !subscriber) {
      wrong.add(address, token);
      return refused(address, "token unknown, expired or revoked");
    }
    const { name, kind } = identity;
    if (!(await allowedOf(identity))) return refused(address, `${kind} ${name} may read no events`);
    const expiresAt = (await records.tokens.get(identity.credential))?.expiresAt;
    log.info({ address, subscriber, kind, name }, "subscriber let in");
    return { subscriber, ...(expiresAt ? { until: Date.parse(expiresAt) } : {}) };
  }

  async function census(): Promise<void> {
    if (!bus.connected) return;
    const [connections, consumers] = await Promise.all([gate.connections(), gate.consumers.list()]);
    if (connections.length + consumers.length === 0) return;
    const standing = await standingsOf([...connections, ...consumers].map(({ subscriber }) => subscriber));
    for (const connection of connections) {
      if (standing.has(connection.subscriber)) continue;
      await connection.end();
      log.info({ subscriber: connection.subscriber }, "subscriber's connection ended with its token");
    }
    for (const consumer of consumers) {
      const allowed = standing.get(consumer.subscriber)?.allowed;
      if (!allowed || allowed.tooMany) {
        await gate.consumers.remove(consumer.subscriber);
        continue;
      }
      const filters = grantedFilters(consumer.wish, allowed);
      if (filters.join() !== consumer.filters.join()) await gate.consumers.refilter(consumer, filters);
    }
  }

  gate.open({ admit, position: positions(gate.consumers, standingsOf) });
  const upkeep = rounds(
    CENSUS_MS,
    () =>
      census().catch((error: unknown) => {
        // The stream is made with the first event.
        if (codeOf(error) !== "BUS_STREAM_MISSING" && codeOf(error) !== "BUS_AWAY") throw error;
      }),
    log,
  );
  const hasteners = [TokenRevoked, TokenExpired].map((contract) =>
    bus.subscribe(contract, () => {
      upkeep.now();
    }),
  );
  return {
    async close(): Promise<void> {
      await Promise.all(hasteners.map((hastener) => hastener.close()));
      await upkeep.close();
    },
  };
}
