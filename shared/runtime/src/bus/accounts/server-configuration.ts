import { EVENT_STREAM } from "../nats-stream.ts";
import type { BusKeys } from "./bus-keys.ts";
import { ACCOUNTS, nextSubject, POSITION_SUBJECT } from "./subjects.ts";

export interface ServerPlace {
  /** `host:port`. */
  readonly listen: string;
  readonly storeDir: string;
  /** PEM files of the server; without them everything passes in clear. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
}

const INTERNAL_ONLY = `accounts: [${ACCOUNTS.outside}]`;

/**
 * The configuration of a nats-server for this hub: JetStream that writes before it answers, accounts, who is let in by
 * asking the hub. Holds public keys only, so that it may be read by anybody.
 */
export function serverConfiguration(keys: BusKeys, { listen, storeDir, tls }: ServerPlace): string {
  const [hub, system] = [keys.hub.getPublicKey(), keys.system.getPublicKey()];
  return `# nats-server of an Elara hub, written by \`elara nats config\`. Public keys only. Needs nats-server 2.15 or newer.
listen: ${JSON.stringify(listen)}
ping_interval: "10s"

${
  tls
    ? `tls { cert_file: ${JSON.stringify(tls.certificate)}, key_file: ${JSON.stringify(tls.key)} }`
    : "# In clear: for loopback or a closed network. Else: elara nats config --tls-certificate … --tls-key …"
}

jetstream {
  store_dir: ${JSON.stringify(storeDir)}
  # What is acknowledged is on the disk; the default writes every two minutes.
  sync_interval: always
}

accounts {
  # The hub's processes: orders, events, the stream.
  ${ACCOUNTS.hub} {
    jetstream: enabled
    users: [ { nkey: ${hub} } ]
    exports: [
      { service: "${nextSubject("*")}", response_type: stream, ${INTERNAL_ONLY} }
      { service: "$JS.ACK.${EVENT_STREAM}.>", ${INTERNAL_ONLY} }
      { service: "${POSITION_SUBJECT}", ${INTERNAL_ONLY} }
    ]
  }
  # Subscribers with a token of the hub. The hub says for each connection what it may do.
  ${ACCOUNTS.outside} {
    limits { max_connections: 1000 }
    imports: [
      { service: { account: ${ACCOUNTS.hub}, subject: "${nextSubject("*")}" } }
      { service: { account: ${ACCOUNTS.hub}, subject: "$JS.ACK.${EVENT_STREAM}.>" } }
      { service: { account: ${ACCOUNTS.hub}, subject: "${POSITION_SUBJECT}" }, share: true }
    ]
  }
  ${ACCOUNTS.system} {
    users: [ { nkey: ${system}, permissions: {
      publish: { allow: ["$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.*.KICK"] }
      subscribe: { allow: ["_INBOX.>"] }
    } } ]
  }
}
system_account: ${ACCOUNTS.system}

# Who comes with anything else than the hub's own keys is decided by the hub.
authorization {
  auth_callout {
    account: ${ACCOUNTS.hub}
    issuer: ${keys.issuer.getPublicKey()}
    xkey: ${keys.curve.getPublicKey()}
    auth_users: [ ${hub}, ${system} ]
  }
}
`;
}
