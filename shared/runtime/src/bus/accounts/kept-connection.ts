import { HubError } from "@elara/contracts";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { within } from "../../within.ts";
import { dialForEver } from "../dial.ts";

/** An attempt to connect that is under way at the end is not waited for any longer. */
const CLOSE_MS = 1000;

/** A connection of its own beside the bus, dialled for ever. */
interface KeptConnection {
  /** Throws BUS_AWAY while there is none. */
  live(): NatsConnection;
  close(): Promise<void>;
}

/** Dials until it is connected; `onConnected` gets each connection once, the library keeps its subscriptions. */
export function keepConnection(
  options: NodeConnectionOptions,
  log: Logger,
  onConnected: (connection: NatsConnection) => void = () => {},
): KeptConnection {
  const ended = new AbortController();
  let current: NatsConnection | undefined;
  const kept = dialForEver(options, log, ended.signal, async (connection) => {
    current = connection;
    onConnected(connection);
    await connection.closed();
    current = undefined;
  });
  return {
    live() {
      if (!current || current.isClosed()) throw new HubError("BUS_AWAY");
      return current;
    },
    async close() {
      ended.abort();
      await current?.close();
      await within(CLOSE_MS, kept);
    },
  };
}
