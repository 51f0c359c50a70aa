import {
  type AuthorizationRequest,
  type AuthorizationResponse,
  decode,
  encodeAuthorizationResponse,
  encodeUser,
} from "@nats-io/jwt";
import type { Msg } from "@nats-io/transport-node";
import type { Logger } from "pino";
import type { BusKeys } from "./bus-keys.ts";
import type { Attempt, Pass } from "./event-gate.ts";
import { ACCOUNTS, ackSubject, inboxPrefixOf, nextSubject, POSITION_SUBJECT } from "./subjects.ts";

/** Where nats-server asks about everybody who does not come with a key of the hub. */
export const CALLOUT_SUBJECT = "$SYS.REQ.USER.AUTH";
const SERVER_KEY = "Nats-Server-Xkey";
/** All the same to whoever tries: unknown, expired, revoked, without a scope, too many attempts. */
const REFUSAL = "refused";
const MAX_SUBSCRIPTIONS = 64;
const MAX_BYTES = 65_536;

/** What the holder of a pass may do: read from its own consumer, and ask for it. Never make one. */
const permissions = (subscriber: string, token: string) => ({
  pub: {
    allow: [nextSubject(subscriber), `${ackSubject(subscriber)}.>`, POSITION_SUBJECT],
  },
  sub: { allow: [`${inboxPrefixOf(token)}.>`] },
});

/** Answers nats-server. A question that cannot be read is not answered: the server refuses by itself then. */
export function authCallout(
  keys: BusKeys,
  admit: (attempt: Attempt) => Promise<Pass | undefined>,
  log: Logger,
): (message: Msg) => Promise<void> {
  const { issuer, curve } = keys;
  return async (message) => {
    const serverKey = message.headers?.get(SERVER_KEY);
    // In clear only from a server that was not configured with our key: the token was on the bus for all to see.
    const sealed = serverKey ? curve.open(message.data, serverKey) : null;
    if (!serverKey || sealed === null) {
      log.error(
        {},
        "nats-server asked without the hub's xkey; write its configuration anew: elara nats config",
      );
      return;
    }
    const { nats: question } = decode<AuthorizationRequest>(new TextDecoder().decode(sealed));
    const { user_nkey: user, server_id: server, connect_opts: given, client_info: client } = question;
    if (!user || !server) return;
    const token = given?.auth_token || given?.pass || "";
    const pass = await admit({ token, address: client?.host ?? "" });
    const answer: Partial<AuthorizationResponse> = pass
      ? {
          jwt: await encodeUser(
            pass.subscriber,
            user,
            issuer,
            {
              ...permissions(pass.subscriber, token),
              subs: MAX_SUBSCRIPTIONS,
              payload: MAX_BYTES,
              data: -1,
            },
            {
              aud: ACCOUNTS.outside,
              ...(pass.until === undefined ? {} : { exp: Math.floor(pass.until / 1000) }),
            },
          ),
        }
      : { error: REFUSAL };
    const response = await encodeAuthorizationResponse(user, server.id, issuer, answer, {});
    message.respond(curve.seal(new TextEncoder().encode(response), serverKey));
  };
}
