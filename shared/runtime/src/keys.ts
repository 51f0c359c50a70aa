import { createHash, hkdfSync } from "node:crypto";

export type KeyUse = "cookie" | "xsrf" | "tag" | "bus" | "door";

/** One key of a ring. `kid` names it and tells nothing of it. */
export interface RingKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** The hub's keys, one for each use. The same in all replicas. */
export interface Keys {
  /** 32 bytes for one use. Uses: `cookie` (auth), `xsrf` (auth, web), `tag` (spawn), `bus` (all), `door` (proxy). */
  derive(use: KeyUse): Buffer;
  /** For what authenticators keep: the first one seals, all of them open. */
  readonly authStateRing: readonly [RingKey, ...RingKey[]];
  /** Tells whether two processes hold the same cookie secret without telling it. */
  readonly fingerprint: string;
  /** Id of the hub that has these keys; part of every tag and event source. Other crypt keys do not change it. */
  readonly hubId: string;
}

/** Keys by HKDF: those of auth states from the crypt keys, all else from the cookie secret. Each has at least 32 bytes. */
export function keysFrom(secrets: { cookieSecret: Buffer; cryptKey: Buffer | readonly Buffer[] }): Keys {
  const hash = (use: string, parts: readonly Buffer[]) => {
    const sum = createHash("sha256").update(`elara ${use}`);
    for (const part of parts) sum.update(part);
    return sum.digest("hex");
  };
  const { cookieSecret, cryptKey } = secrets;
  const [first, ...others] = Buffer.isBuffer(cryptKey) ? [cryptKey] : cryptKey;
  if (first === undefined) throw new TypeError("keysFrom needs a crypt key");
  const derived = (secret: Buffer, use: string) => Buffer.from(hkdfSync("sha256", secret, "elara", use, 32));
  const ringKey = (secret: Buffer): RingKey => {
    const key = derived(secret, "auth_state");
    return { key, kid: hash("kid", [key]).slice(0, 8) };
  };
  return {
    derive: (use) => derived(cookieSecret, use),
    authStateRing: [ringKey(first), ...others.map(ringKey)],
    fingerprint: hash("fingerprint", [cookieSecret]).slice(0, 16),
    hubId: hash("hub id", [cookieSecret]).slice(0, 12),
  };
}
