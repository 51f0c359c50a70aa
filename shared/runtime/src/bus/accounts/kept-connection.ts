import { setTimeout as sleep } from "node:timers/promises";
import { HubError } from "@elara/contracts";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import type { Logger } from "pino";

const RETRY_MS = 1000;

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
  const keep = async (): Promise<void> => {
    let complaint = "";
    while (!ended.signal.aborted) {
      try {
        const connection = await connect({
          ...options,
          timeout: 5000,
          maxReconnectAttempts: -1,
          ignoreAuthErrorAbort: true,
          reconnectTimeWait: RETRY_MS,
          pingInterval: 5000,
          maxPingOut: 2,
          noAsyncTraces: true,
        });
        complaint = "";
        if (ended.signal.aborted) return connection.close();
        current = connection;
        onConnected(connection);
        await connection.closed();
        current = undefined;
      } catch (error) {
        if (String(error) !== complaint)
          log.error({ err: error, name: options.name }, "bus not reached, trying again");
        complaint = String(error);
      }
      await sleep(RETRY_MS, undefined, { signal: ended.signal }).catch(() => {});
    }
  };
  const kept = keep();
  return {
    live() {
      if (!current || current.isClosed()) throw new HubError("BUS_AWAY");
      return current;
    },
    async close() {
      ended.abort();
      await current?.close();
      await Promise.race([kept, sleep(RETRY_MS, undefined, { ref: false })]);
    },
  };
}
