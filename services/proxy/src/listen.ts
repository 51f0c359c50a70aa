import type http from "node:http";
import { codeOf, HubError } from "@elara/contracts";

/** An address to listen on, and the configuration key of its port. */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly key: string;
}

const OPTIONS: Readonly<Record<string, string>> = {
  "network.port": ", or --port",
  "network.internalPort": ", or --internal-port",
};

/** Runs what opens a listener; what stands in the way is told with address and key. */
export async function listenAt(where: Where, listen: () => Promise<unknown>): Promise<void> {
  try {
    await listen();
  } catch (cause) {
    const at = `${bracketed(where.host)}:${where.port}`;
    if (codeOf(cause) === "EADDRINUSE")
      throw new HubError("PORT_TAKEN", {
        operator: `Another program listens on ${at}. Stop it, or choose another port: ${where.key} in the configuration${OPTIONS[where.key] ?? ""}.`,
        cause,
      });
    if (codeOf(cause) === "EACCES" || codeOf(cause) === "EADDRNOTAVAIL")
      throw new HubError("LISTEN_FAILED", {
        operator: `Cannot listen on ${at} (${codeOf(cause)}). Ports below 1024 need privileges; the address must be one of this machine. Key: ${where.key}.`,
        cause,
      });
    throw cause;
  }
}

/** `server.listen` as a promise. */
export const listening = (server: http.Server, { host, port }: Where): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });

/** Where a server listens: `http://host:port`, with the port it really got. */
export function addressOf(server: http.Server, host: string, scheme: "http" | "https"): string {
  return `${scheme}://${bracketed(host)}:${portOf(server)}`;
}

/** The port a server really got. */
export function portOf(server: Pick<http.Server, "address">): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** Idle connections of a closing server are looked for so often: one may become idle at any moment. */
const LOOK_MS = 50;

/**
 * Runs what closes the server, and ends its connections as they become idle. What still goes on after `graceMs` is
 * ended, `force` included.
 */
export async function endServer(
  server: http.Server,
  close: () => Promise<unknown>,
  graceMs: number,
  force: () => void,
): Promise<void> {
  const closed = close();
  const idle = setInterval(() => server.closeIdleConnections(), LOOK_MS);
  const deadline = setTimeout(() => {
    server.closeAllConnections();
    force();
  }, graceMs);
  try {
    await closed;
  } finally {
    clearInterval(idle);
    clearTimeout(deadline);
  }
}

/** `server.close` as a promise; a server that never listened is closed already. */
export const closed = (server: http.Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
