import { HubError } from "@elara/contracts";
import { connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import { type NatsTls, overTls } from "../nats.ts";
import type { BusKeys } from "./bus-keys.ts";
import { ACCOUNTS } from "./subjects.ts";

const ASK_MS = 2000;

/** Throws BUS_ACCOUNTS_MISSING when the server let the hub in without its account: a plain server. */
export async function assertAccount(connection: NatsConnection): Promise<void> {
  const answer = await connection.request("$SYS.REQ.USER.INFO", "", { timeout: ASK_MS });
  const { data } = answer.json<{ data?: { account?: string } }>();
  if (data?.account !== ACCOUNTS.hub) throw new HubError("BUS_ACCOUNTS_MISSING");
}

/** The same of a server nobody is connected to yet. Throws BUS_ACCOUNTS_MISSING, BUS_AWAY. */
export async function assertAccounts(
  servers: readonly string[],
  { hub }: BusKeys,
  tls?: NatsTls,
): Promise<void> {
  const connection = await connect({
    servers: [...servers],
    authenticator: nkeyAuthenticator(hub.getSeed()),
    ...overTls(tls, servers),
    reconnect: false,
    timeout: ASK_MS,
  }).catch((cause: unknown) => {
    throw new HubError("BUS_AWAY", { cause });
  });
  try {
    await assertAccount(connection);
  } finally {
    await connection.close();
  }
}
