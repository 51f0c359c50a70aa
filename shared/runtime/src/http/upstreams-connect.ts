import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Target } from "./upstreams-target.ts";

/** A new connection of its own, half-open allowed: one side may end while the other goes on. */
export function connectTo(target: Target): Duplex {
  const options = { host: target.host, port: target.port, allowHalfOpen: true, noDelay: true };
  return target.secure ? tls.connect({ ...options, servername: nameOf(target) }) : net.connect(options);
}

/** TLS names a host, never an address. */
const nameOf = (target: Target): string => (net.isIP(target.host) ? "" : target.host);

/** Connecting took too long. Told like a refused connection: nothing was sent. */
export class ConnectTimeout extends Error {
  readonly code = "ETIMEDOUT";
  constructor(target: Target) {
    super(`no connection to ${target.origin} in time`);
  }
}
