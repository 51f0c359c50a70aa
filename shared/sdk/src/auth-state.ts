/**
 * What an authenticator wants kept of a log-in, tokens included: plain JSON. The hub keeps it encrypted until the
 * session ends, and hands it back to `preSpawn` and `logout` only.
 */
export type AuthState = Readonly<Record<string, unknown>>;
