import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { HubError } from "@elara/contracts";
import type { RingKey } from "@elara/runtime/keys";
import type { AuthState } from "@elara/sdk";

const VERSION = "v1";

/** Seals auth states for the store: `v1.kid.iv.ciphertext.tag`, AES-256-GCM, bound to a user's id. */
export interface Envelope {
  /** The key that seals now. */
  readonly kid: string;
  seal(authState: AuthState, userId: string): string;
  /** Throws AUTH_STATE_UNREADABLE: another user's, changed, or of a key that is not in the ring. */
  open(sealed: string, userId: string): AuthState;
}

/** The first key of the ring seals, all of them open. */
export function envelope(ring: readonly [RingKey, ...RingKey[]]): Envelope {
  const [current] = ring;
  return {
    kid: current.kid,
    seal(authState, userId) {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", current.key, iv).setAAD(Buffer.from(userId));
      const text = Buffer.concat([cipher.update(JSON.stringify(authState), "utf8"), cipher.final()]);
      return [VERSION, current.kid, ...[iv, text, cipher.getAuthTag()].map(base64)].join(".");
    },
    open(sealed, userId) {
      const [version, kid, ...parts] = sealed.split(".");
      const held = ring.find((each) => each.kid === kid);
      const [iv, text, tag] = parts.map((part) => Buffer.from(part, "base64url"));
      if (version !== VERSION || !held || !iv || !text || !tag || tag.length !== 16)
        throw unreadable(held ? "it is no envelope of this hub" : `key ${kid} is not in secrets.cryptKey`);
      try {
        const decipher = createDecipheriv("aes-256-gcm", held.key, iv, { authTagLength: 16 });
        decipher.setAAD(Buffer.from(userId)).setAuthTag(tag);
        return JSON.parse(Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8"));
      } catch (cause) {
        throw unreadable("it was changed, or moved to another user", cause);
      }
    },
  };
}

const base64 = (bytes: Buffer): string => bytes.toString("base64url");

const unreadable = (why: string, cause?: unknown): HubError =>
  new HubError("AUTH_STATE_UNREADABLE", { detail: { why }, cause });
