import type { Token } from "@elara/contracts";
import type { ScopeSet } from "../../scopes/scope-set.ts";

/** Who asks, and what they may do. */
export interface Identity {
  readonly kind: "user" | "service";
  /** "" for services. */
  readonly userId: string;
  readonly name: string;
  readonly admin: boolean;
  /** Names, sorted. */
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** For tokens: never more than the owner holds now. */
  readonly scopes: ScopeSet;
  readonly via: "token" | "cookie";
  /** Public id of the token, `a7`. */
  readonly tokenId: string | null;
  /** Value of the browser's `jupyterhub-session-id`. */
  readonly sessionId: string | null;
  /** SHA-256 of the token or of the login cookie's secret. */
  readonly credential: string;
  readonly tokenKind?: Token["kind"];
  /** The server a token belongs to. */
  readonly serverId?: string;
  readonly note?: string;
  /** From memory while the store is away: serves reading and activity reports, nothing else. */
  readonly unconfirmed?: true;
}
