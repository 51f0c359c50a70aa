import { randomBytes, randomUUID } from "node:crypto";
import Provider, { type Adapter, type AdapterPayload } from "oidc-provider";
import type { GlobusPerson } from "./globus-people.ts";

export const AUTH = "auth.globus.org";
export const GROUPS = "groups.api.globus.org";
export const TRANSFER = "transfer.api.globus.org";
export const LIFETIME_SECONDS = 172_800;

/** A token for one resource server, made beside the one OpenID Connect gives. */
export interface ServiceToken {
  readonly value: string;
  readonly kind: "access" | "refresh";
  readonly resourceServer: string;
  readonly scope: string;
  readonly person: GlobusPerson;
  readonly clientId: string;
  readonly grantId: string;
  readonly endsAt: number;
  /** The domain whose log-in the session of this token has. */
  readonly sessionDomain: string;
}

/** Which resource server a scope of Globus belongs to. */
export function resourceServerOf(scope: string): string {
  const [, short] = /^urn:globus:auth:scope:([^:]+):/.exec(scope) ?? [];
  if (short) return short;
  const [, client] = /^https:\/\/auth\.globus\.org\/scopes\/([^/]+)\//.exec(scope) ?? [];
  return client ?? AUTH;
}

/** The tokens of further resource servers. */
export function serviceTokens() {
  let tokens: ServiceToken[] = [];
  const make = (
    kind: ServiceToken["kind"],
    wish: Omit<ServiceToken, "value" | "kind" | "endsAt">,
  ): ServiceToken => {
    const token: ServiceToken = {
      ...wish,
      kind,
      value: `Ag${randomBytes(36).toString("base64url")}`,
      endsAt: Date.now() + (kind === "access" ? LIFETIME_SECONDS : 180 * 86_400) * 1000,
    };
    tokens.push(token);
    return token;
  };
  const answerOf = (access: ServiceToken, refresh: ServiceToken | undefined) => ({
    access_token: access.value,
    scope: access.scope,
    expires_in: LIFETIME_SECONDS,
    token_type: "Bearer",
    resource_server: access.resourceServer,
    ...(refresh ? { refresh_token: refresh.value } : {}),
  });
  return {
    all: (): readonly ServiceToken[] => tokens.filter(({ endsAt }) => endsAt > Date.now()),
    find: (value: string): ServiceToken | undefined =>
      tokens.find((token) => token.value === value && token.endsAt > Date.now()),
    /** Tokens for every resource server these scopes belong to, other than Globus Auth itself; as `other_tokens`. */
    give(
      scopes: readonly string[],
      isOffline: boolean,
      who: Pick<ServiceToken, "person" | "clientId" | "grantId" | "sessionDomain">,
    ) {
      const servers = Map.groupBy(scopes, resourceServerOf);
      servers.delete(AUTH);
      return [...servers].map(([resourceServer, of]) => {
        const wish = { ...who, resourceServer, scope: of.join(" ") };
        return answerOf(make("access", wish), isOffline ? make("refresh", wish) : undefined);
      });
    },
    /** What a refresh token of a resource server is good for. */
    refresh(token: ServiceToken) {
      return answerOf(make("access", token), token);
    },
    revoke(value: string): void {
      tokens = tokens.filter((token) => token.value !== value);
    },
    revokeGrant(grantId: string): void {
      tokens = tokens.filter((token) => token.grantId !== grantId);
    },
  };
}

/** Where the OpenID provider keeps its own things, open to look into. */
export function openStorage(client: AdapterPayload) {
  const kept = new Map<string, { model: string; id: string; payload: AdapterPayload; endsAt: number }>();
  const live = (model: string) =>
    [...kept.values()].filter((one) => one.model === model && one.endsAt > Date.now());
  const adapter = (model: string): Adapter => ({
    async upsert(id, payload, expiresIn) {
      const endsAt = expiresIn ? Date.now() + expiresIn * 1000 : Number.POSITIVE_INFINITY;
      kept.set(`${model}:${id}`, { model, id, payload, endsAt });
    },
    async find(id) {
      if (model === "Client") return id === client.client_id ? { ...client, ...sentBy() } : undefined;
      const found = kept.get(`${model}:${id}`);
      return found && found.endsAt > Date.now() ? found.payload : undefined;
    },
    findByUid: async (uid) => live(model).find(({ payload }) => payload.uid === uid)?.payload,
    findByUserCode: async () => undefined,
    async consume(id) {
      const found = kept.get(`${model}:${id}`);
      if (found) found.payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      kept.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      // Globus ends the one token it is asked to end; the rest of the grant only when a code is replayed.
      if (Provider.ctx?.oidc?.route === "revocation") return;
      for (const [key, one] of kept)
        if (one.model === model && one.payload.grantId === grantId) kept.delete(key);
    },
  });
  return { adapter, live };
}

/** Globus takes a client's secret in the header and in the body; the library knows one way for each client. */
function sentBy() {
  const isBasic = /^basic /i.test(Provider.ctx?.headers.authorization ?? "");
  return {
    token_endpoint_auth_method: isBasic ? ("client_secret_basic" as const) : ("client_secret_post" as const),
  };
}

export const requestId = (): string => randomUUID().replaceAll("-", "").slice(0, 9);
