import { HubError } from "@elara/contracts";
import { open, seal } from "@elara/runtime/aead";
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
    seal: (authState, userId) =>
      [VERSION, current.kid, seal(current.key, JSON.stringify(authState), userId)].join("."),
    open(sealed, userId) {
      const [version, kid, ...body] = sealed.split(".");
      const held = ring.find((each) => each.kid === kid);
      if (version !== VERSION || !held)
        throw unreadable(held ? "it is no envelope of this hub" : `key ${kid} is not in secrets.cryptKey`);
      try {
        return JSON.parse(open(held.key, body.join("."), userId));
      } catch (cause) {
        throw unreadable("it was changed, or moved to another user", cause);
      }
    },
  };
}

const unreadable = (why: string, cause?: unknown): HubError =>
  new HubError("AUTH_STATE_UNREADABLE", { detail: { why }, cause });
