import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, TokenExpired, TokenRevoked } from "@elara/contracts";
import type { Attempt, EventGate, OutsideConnection, Pass } from "@elara/runtime/bus/accounts/event-gate";
import { mayFollowEvents } from "@elara/runtime/store/read/event-reach";
import type { Identity, IdentityReader } from "@elara/runtime/store/read/identity";
import type { Ground } from "../ground.ts";
import { rounds } from "../upkeep/rounds.ts";
import { headcount } from "./headcount.ts";
import { positions } from "./positions.ts";
import { type AllowedOf, ownerOf, standings } from "./standing.ts";
import { tending } from "./tending.ts";
import { wrongTokens } from "./wrong-tokens.ts";

/** How long a revoked token's connection can last when no event hastens its end. */
const CENSUS_MS = 2000;
/** Connections of one user or service at a time; account PUBLIC holds a thousand. */
const MOST_CONNECTIONS = 20;

export interface SubscribersOptions {
  readonly ground: Ground;
  readonly identities: IdentityReader;
  readonly gate: EventGate;
  readonly allowedOf: AllowedOf;
  /** Between rounds. */
  readonly everyMs?: number;
}

/** Keeps the gate: lets subscribers in by token, gives them their consumers, ends both when the token does. */
export function keepSubscribers({
  ground,
  identities,
  gate,
  allowedOf,
  everyMs = CENSUS_MS,
}: SubscribersOptions) {
  const { bus, clock, config, log, records } = ground;
  const wrong = wrongTokens(config.throttle, clock);
  const standing = standings(ground, identities);
  const heads = headcount();
  const tended = tending({ consumers: gate.consumers, standing, allowedOf, log });

  const refused = (address: string, reason: string, code?: string): undefined => {
    log.warn({ address, reason, ...(code === undefined ? {} : { code }) }, "subscriber refused");
  };

  async function unknown(address: string, token: string): Promise<undefined> {
    if (wrong.tooMany(address)) return void (await sleep(config.refusalMs));
    wrong.add(address, token);
    refused(address, "token unknown, expired or revoked");
    if (wrong.tooMany(address)) log.warn({ address }, "too many wrong tokens from there: told no more of");
  }

  async function admit({ token, address }: Attempt): Promise<Pass | undefined> {
    if (token === "") return refused(address, "no token");
    const identity = await identities.byToken(token).catch((error: unknown) => {
      log.error({ err: error, code: codeOf(error) }, "subscriber not judged");
      throw error;
    });
    const subscriber = identity?.tokenId;
    // Whoever holds a good token pays for no one else behind the same address.
    if (!identity || !subscriber) return unknown(address, token);
    const { name, kind } = identity;
    if (!mayFollowEvents(identity.scopes)) return refused(address, `${kind} ${name} may read no events`);
    const owner = ownerOf(identity);
    if (heads.of(owner) >= MOST_CONNECTIONS)
      return refused(address, `${kind} ${name} has too many connections`, "SUBSCRIBER_CONNECTIONS_MANY");
    heads.came(owner);
    // Its filters may be from when it was last here.
    await tended.now(subscriber, { token: "good", identity });
    const expiresAt = (await records.tokens.get(identity.credential))?.expiresAt;
    log.info({ address, subscriber, kind, name }, "subscriber let in");
    return { subscriber, ...(expiresAt ? { until: Date.parse(expiresAt) } : {}) };
  }

  async function end(connection: OutsideConnection): Promise<void> {
    const { subscriber } = connection;
    try {
      await connection.end();
      log.info({ subscriber }, "subscriber's connection ended with its token");
    } catch (error) {
      log.warn({ subscriber, err: error }, "subscriber's connection not ended, tried again");
    }
  }

  async function census(): Promise<void> {
    if (!bus.connected) return;
    heads.begin();
    const connections = await gate.connections();
    const stands = await standing.of(connections.map(({ subscriber }) => subscriber));
    const here: { subscriber: string; identity: Identity }[] = [];
    const leaving: OutsideConnection[] = [];
    for (const connection of connections) {
      const { subscriber } = connection;
      const stand = stands.get(subscriber);
      if (!stand) continue;
      if (stand.token === "good") here.push({ subscriber, identity: stand.identity });
      else leaving.push(connection);
    }
    heads.counted(here.map(({ identity }) => ownerOf(identity)));
    await Promise.all(leaving.map(end));
    await tended.round([...here, ...leaving.map(({ subscriber }) => ({ subscriber, identity: undefined }))]);
  }

  gate.open({ admit, position: positions(gate.consumers, standing, allowedOf) });
  const upkeep = rounds(
    everyMs,
    () =>
      census().catch((error: unknown) => {
        if (codeOf(error) !== "BUS_AWAY") throw error;
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
