import { createHash, hkdfSync } from "node:crypto";

export type KeyUse = "cookie" | "auth_state" | "xsrf" | "tag" | "bus";

/** The hub's keys, one for each use. The same in all replicas. */
export interface Keys {
  /** 32 bytes for one use. Uses: `cookie`, `auth_state` (auth), `xsrf` (auth, web), `tag` (spawn), `bus` (all). */
  derive(use: KeyUse): Buffer;
  /** Tells whether two processes hold the same keys without telling the keys. */
  readonly fingerprint: string;
  /** Id of the hub that has these keys; part of every tag and event source. */
  readonly hubId: string;
}

/** Keys by HKDF: `auth_state` from the crypt key, all else from the cookie secret. Both at least 32 bytes. */
export function keysFrom(secrets: { cookieSecret: Buffer; cryptKey: Buffer }): Keys {
  const hash = (use: string) =>
    createHash("sha256")
      .update(`elara ${use}`)
      .update(secrets.cookieSecret)
      .update(secrets.cryptKey)
      .digest("hex");
  return {
    derive(use) {
      const secret = use === "auth_state" ? secrets.cryptKey : secrets.cookieSecret;
      return Buffer.from(hkdfSync("sha256", secret, "elara", use, 32));
    },
    fingerprint: hash("fingerprint").slice(0, 16),
    hubId: hash("hub id").slice(0, 12),
  };
}
