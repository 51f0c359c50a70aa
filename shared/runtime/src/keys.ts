import { createHash, hkdfSync } from "node:crypto";

/** The hub's one key, split by use. The same for all replicas; each service is given the uses it needs. */
export interface Keys {
  /** 32 bytes for one use, by HKDF. Uses: `cookie`, `auth_state` (auth), `xsrf` (auth, web), `tag` (spawn). */
  derive(use: "cookie" | "auth_state" | "xsrf" | "tag"): Buffer;
  /** Tells whether two processes hold the same key without telling the key. */
  readonly fingerprint: string;
}

/** Keys from the secret of the key file (at least 32 bytes). */
export function keysFrom(secret: Buffer): Keys {
  return {
    derive: (use) => Buffer.from(hkdfSync("sha256", secret, "elara", use, 32)),
    fingerprint: createHash("sha256").update("elara fingerprint").update(secret).digest("hex").slice(0, 16),
  };
}
