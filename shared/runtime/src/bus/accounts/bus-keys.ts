import { hkdfSync } from "node:crypto";
import { fromCurveSeed, fromSeed, type KeyPair, Prefix } from "@nats-io/nkeys";
import { Codec } from "@nats-io/nkeys/lib/codec.js";

/** The hub's nkeys on NATS, all made of one secret: nothing more to hand around than the hub's keys. */
export interface BusKeys {
  /** User of account INTERNAL: the hub's processes. */
  readonly hub: KeyPair;
  /** User of account SYS: sees and ends connections. */
  readonly system: KeyPair;
  /** Signs the users that the auth callout lets into account PUBLIC. */
  readonly issuer: KeyPair;
  /** Opens what nats-server asks the auth callout, and seals the answers. */
  readonly curve: KeyPair;
}

/** Makes the nkeys; the same secret makes the same ones in every process. `secret` is `keys.derive("bus")`. */
export function busKeys(secret: Buffer): BusKeys {
  const seed = (prefix: Prefix, use: string): Uint8Array =>
    Codec.encodeSeed(prefix, new Uint8Array(hkdfSync("sha256", secret, "elara nats", use, 32)));
  return {
    hub: fromSeed(seed(Prefix.User, "hub")),
    system: fromSeed(seed(Prefix.User, "system")),
    issuer: fromSeed(seed(Prefix.Account, "issuer")),
    curve: fromCurveSeed(seed(Prefix.Curve, "curve")),
  };
}
