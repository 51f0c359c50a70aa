import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import type { Logger } from "pino";

/** Between attempts to connect; others wait up to twice as long, so that they do not all come at once. */
const RETRY_MS = 500;
const DIAL_MS = 5000;

const KEPT: NodeConnectionOptions = {
  timeout: DIAL_MS,
  // The library's defaults give up after ten attempts, and after two refused log-ins.
  maxReconnectAttempts: -1,
  ignoreAuthErrorAbort: true,
  reconnectTimeWait: RETRY_MS,
  reconnectJitter: RETRY_MS,
  pingInterval: 5000,
  maxPingOut: 2,
  noAsyncTraces: true,
};

/**
 * Connects for ever: also the first time, also after the client library has given up. `use` takes a connection and
 * resolves when that is over. Resolves when `ended` is aborted and the connection in use is over.
 */
export async function dialForEver(
  options: NodeConnectionOptions,
  log: Logger,
  ended: AbortSignal,
  use: (connection: NatsConnection) => Promise<unknown>,
): Promise<void> {
  let complaint = "";
  while (!ended.aborted) {
    try {
      const connection = await connect({ ...options, ...KEPT });
      complaint = "";
      if (ended.aborted) return await connection.close();
      await use(connection);
    } catch (error) {
      const text = String(error);
      if (text !== complaint) log.error({ err: error, name: options.name }, "bus not reached, trying again");
      complaint = text;
    }
    const waitMs = RETRY_MS * (1 + Math.random());
    await sleep(waitMs, undefined, { signal: ended }).catch(() => {});
  }
}
