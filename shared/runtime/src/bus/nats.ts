import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type NodeConnectionOptions, nkeyAuthenticator } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { type Clock, systemClock } from "../clock.ts";
import { within } from "../within.ts";
import type { Bus } from "./bus.ts";
import { hostOf } from "./host-of.ts";
import { watchLoop } from "./loop-watch.ts";
import { NatsWire } from "./nats-wire.ts";
import { busOver } from "./over-wire.ts";

/** How long to wait for the first connection; it goes on in the background. */
const FIRST_MS = 2000;

export type NatsCredentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  /** Seed of a user nkey, `SU…`. */
  | { readonly nkeySeed: string };

/** Over TLS only. */
export interface NatsTls {
  /** PEM file of who signs the servers' certificates; absent: those the machine trusts. */
  readonly ca?: string | undefined;
}

/** For the library; nothing for a connection in clear. */
export function overTls(tls: NatsTls | undefined, servers: readonly string[]): NodeConnectionOptions {
  if (!tls) return {};
  const hosts = servers.map(hostOf);
  // The library holds a server that is named by its address against "localhost".
  const identity = {
    checkServerIdentity: (name: string, certificate: PeerCertificate) =>
      [name, ...hosts].some((host) => checkServerIdentity(host, certificate) === undefined)
        ? undefined
        : checkServerIdentity(hosts[0] ?? name, certificate),
  };
  return { tls: { ...(tls.ca === undefined ? {} : { caFile: tls.ca }), ...identity } };
}

export interface NatsBusOptions {
  /** `host:port`, or with `nats://` in front. */
  readonly servers: readonly string[];
  readonly log: Logger;
  /** Shown by the server's monitoring. */
  readonly name: string;
  readonly credentials?: NatsCredentials;
  readonly tls?: NatsTls | undefined;
  readonly clock?: Clock;
}

/**
 * The bus over NATS. Resolves when connected, or after 2 s without: it goes on trying for ever, `connected` says how it
 * stands.
 */
export async function natsBus({
  servers,
  log,
  name,
  credentials,
  tls,
  clock = systemClock,
}: NatsBusOptions): Promise<Bus> {
  const wire = new NatsWire(
    { servers: [...servers], name, ...authentication(credentials), ...overTls(tls, servers) },
    log,
    clock,
  );
  const bus = busOver(wire, { log, name, clock, beforeOrder: () => watch.look() });
  const watch = watchLoop({
    clock,
    onStall: (lateMs) => {
      log.warn({ lateMs: Math.round(lateMs) }, "event loop stood, queue groups left");
      bus.pause();
    },
    onCaughtUp: () => {
      log.info({}, "event loop caught up, queue groups joined");
      bus.resume();
    },
  });
  const first = Promise.withResolvers<void>();
  const unlisten = bus.onChange(() => first.resolve());
  await within(FIRST_MS, first.promise);
  unlisten();
  return {
    ...bus,
    get connected() {
      return bus.connected;
    },
    async close() {
      watch.close();
      await bus.close();
    },
  };
}

function authentication(credentials: NatsCredentials | undefined): NodeConnectionOptions {
  if (credentials === undefined) return {};
  if ("nkeySeed" in credentials) {
    return { authenticator: nkeyAuthenticator(new TextEncoder().encode(credentials.nkeySeed)) };
  }
  if ("token" in credentials) return { token: credentials.token };
  return { user: credentials.user, pass: credentials.password };
}
