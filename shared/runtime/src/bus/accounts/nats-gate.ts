import { codeOf, HubError } from "@elara/contracts";
import { type Msg, type NatsConnection, nkeyAuthenticator, RequestError } from "@nats-io/transport-node";
import type { Logger } from "pino";
import { type NatsTls, overTls } from "../nats.ts";
import { authCallout, CALLOUT_SUBJECT } from "./auth-callout.ts";
import type { BusKeys } from "./bus-keys.ts";
import { subscriberConsumers } from "./consumers.ts";
import type { EventGate, GateKeeper, OutsideConnection } from "./event-gate.ts";
import { keepConnection } from "./kept-connection.ts";
import { assertAccount } from "./server-account.ts";
import { ACCOUNTS, POSITION_SUBJECT } from "./subjects.ts";

interface NatsGateOptions {
  readonly servers: readonly string[];
  readonly keys: BusKeys;
  readonly log: Logger;
  /** Shown by the server's monitoring. */
  readonly name: string;
  readonly tls?: NatsTls | undefined;
}

/** All replicas share what comes. */
const QUEUE = "elara-gate";
/** Set by nats-server on what crosses accounts; whoever asks cannot choose it. */
const ASKER = "Nats-Request-Info";
/** How long servers may take to tell their connections. */
const CENSUS_MS = 400;
const END_MS = 1000;
const PAGE = 1024;

interface Census {
  readonly server: { readonly id: string };
  readonly data?: {
    readonly connections?: readonly { cid: number; account?: string; authorized_user?: string }[];
  };
}

/** The gate of a nats-server with `elara nats config`. Dials in the background; another server is the reason why nobody gets in. */
export function natsGate({ servers, keys, log, name, tls }: NatsGateOptions): EventGate {
  const dial = (seed: Uint8Array) => ({
    servers: [...servers],
    authenticator: nkeyAuthenticator(seed),
    ...overTls(tls, servers),
  });
  let keeper: GateKeeper | undefined;
  const hub = keepConnection({ ...dial(keys.hub.getSeed()), name: `${name}-gate` }, log, (connection) => {
    void sayWhenPlain(connection, log);
    serve(connection);
  });
  const system = keepConnection({ ...dial(keys.system.getSeed()), name: `${name}-system` }, log);
  const consumers = subscriberConsumers(hub.live);

  const answering =
    (answer: (message: Msg) => Promise<void>) =>
    (error: Error | null, message: Msg): void => {
      if (error) log.error({ err: error }, "gate not served");
      else answer(message).catch((fault: unknown) => log.error({ err: fault }, "gate did not answer"));
    };

  function serve(connection: NatsConnection): void {
    if (!keeper) return;
    const { admit, position } = keeper;
    const callout = authCallout(keys, admit, log);
    const listen = (subject: string, answer: (message: Msg) => Promise<void>): void => {
      connection.subscribe(subject, { queue: QUEUE, callback: answering(answer) });
    };
    listen(CALLOUT_SUBJECT, callout);
    listen(POSITION_SUBJECT, async (message) => {
      const subscriber = askerOf(message);
      if (subscriber === undefined) return;
      message.respond(JSON.stringify(await told(() => position(subscriber, wishIn(message)))));
    });
  }

  /** A fault of who asks, in words for it; ours goes to the log. */
  async function told(work: () => Promise<object>): Promise<object> {
    try {
      return await work();
    } catch (error) {
      const fault = error instanceof HubError ? error : new HubError("INTERNAL", { cause: error });
      if (fault.status >= 500) log.error({ err: error, code: fault.code }, "position not given");
      return { error: { code: fault.code, message: fault.message } };
    }
  }

  return {
    open(by) {
      keeper = by;
      try {
        serve(hub.live());
      } catch {
        // Not connected yet; served when it is.
      }
    },
    consumers,
    async connections() {
      const connection = system.live();
      const found: OutsideConnection[] = [];
      try {
        const answers = await connection.requestMany(
          "$SYS.REQ.SERVER.PING.CONNZ",
          JSON.stringify({ auth: true, acc: ACCOUNTS.outside, limit: PAGE }),
          { strategy: "stall", stall: CENSUS_MS, maxWait: CENSUS_MS * 4 },
        );
        for await (const answer of answers) {
          const { server, data } = answer.json<Census>();
          for (const { cid, account, authorized_user: subscriber } of data?.connections ?? []) {
            // A plain server tells of the asker's own account, which is the hub itself.
            if (account !== ACCOUNTS.outside || !subscriber) continue;
            const end = async (): Promise<void> => {
              await connection.request(`$SYS.REQ.SERVER.${server.id}.KICK`, JSON.stringify({ cid }), {
                timeout: END_MS,
              });
            };
            found.push({ subscriber, end });
          }
        }
      } catch (error) {
        if (error instanceof RequestError) throw new HubError("BUS_AWAY", { cause: error });
        throw error;
      }
      return found;
    },
    async close() {
      await Promise.all([hub.close(), system.close()]);
    },
  };
}

async function sayWhenPlain(connection: NatsConnection, log: Logger): Promise<void> {
  try {
    await assertAccount(connection);
  } catch (error) {
    log.error({ code: codeOf(error), err: error }, "nobody gets in from outside over NATS");
  }
}

/** Who asks: the name that the callout gave, as nats-server tells it. */
function askerOf(message: Msg): string | undefined {
  const text = message.headers?.get(ASKER);
  if (!text) return undefined;
  const { user, acc }: { user?: unknown; acc?: unknown } = JSON.parse(text);
  return acc === ACCOUNTS.outside && typeof user === "string" ? user : undefined;
}

function wishIn(message: Msg): unknown {
  if (message.data.length === 0) return {};
  try {
    return message.json();
  } catch {
    throw new HubError("BODY_INVALID");
  }
}
