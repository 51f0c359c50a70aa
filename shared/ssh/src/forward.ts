import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { finished, pipeline } from "node:stream";
import type { Logger } from "@elara/sdk";
import type { ClientChannel } from "ssh2";
import type { Pool } from "./pool.ts";
import type { SshForward, SshTarget } from "./ssh.ts";

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Carries bytes both ways until both are at their end, each end passed on by itself. */
const join = (socket: Socket, channel: ClientChannel): Promise<void> =>
  new Promise((resolve) => {
    const reset = (error?: Error | null): void => {
      if (error) socket.resetAndDestroy();
    };
    pipeline(socket, channel, reset);
    pipeline(channel, socket, reset);
    finished(channel, () => finished(socket, () => resolve()));
  });

/** Listens and leads to a place seen from the target. Each connection takes whatever ssh connection there is then. */
export async function forward(
  pool: Pool,
  target: SshTarget,
  to: Place,
  listen: Place,
  log: Logger,
): Promise<SshForward> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    carry(socket).catch((error: unknown) => {
      log.warn(
        { host: target.host, account: target.account, err: error },
        "forward leads nowhere at present",
      );
      // A reset, as from a host where nobody listens.
      socket.resetAndDestroy();
    });
  });
  const carry = async (socket: Socket): Promise<void> => {
    const connection = await pool.get(target);
    await connection.stream(to, (channel) => join(socket, channel));
  };
  server.listen(listen.port, listen.host);
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("a listener without an address");
  return {
    host: listen.host,
    port: address.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
