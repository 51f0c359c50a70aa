import { randomBytes } from "node:crypto";
import type { AccountClaims, AdapterFactory, Configuration, JWK } from "oidc-provider";
import { BRAND, MEANINGS } from "./globus-pages.ts";
import type { GlobusPerson } from "./globus-people.ts";
import { LIFETIME_SECONDS } from "./globus-tokens.ts";
import { errorPage } from "./page.ts";

/** What Globus signs with. */
export const ALGORITHM = "RS512";
const SESSION = [
  "session_required_identities",
  "session_required_single_domain",
  "session_required_policies",
  "session_required_mfa",
  "session_message",
] as const;

export interface SettingParts {
  readonly adapter: AdapterFactory;
  readonly jwk: JWK;
  personOf(sub: string | undefined): GlobusPerson | undefined;
  /** Whether this code was asked for with `access_type=offline`. */
  isOffline(code: string): boolean;
}

/** oidc-provider as Globus Auth: its paths, scopes, claims and lifetimes. */
export function globusSettings({ adapter, jwk, personOf, isOffline }: SettingParts): Configuration {
  const isOwn = (
    _: unknown,
    client: { clientId: string },
    token: { clientId?: string | undefined },
  ): boolean => client.clientId === token.clientId;

  return {
    adapter,
    jwks: { keys: [jwk] },
    cookies: {
      keys: [randomBytes(32).toString("hex")],
      names: { session: "globus_session", interaction: "globus_interaction", resume: "globus_resume" },
    },
    routes: {
      authorization: "/v2/oauth2/authorize",
      token: "/v2/oauth2/token",
      userinfo: "/v2/oauth2/userinfo",
      revocation: "/v2/oauth2/token/revoke",
      introspection: "/v2/oauth2/token/introspect",
      jwks: "/jwk.json",
      end_session: "/v2/web/logout",
    },
    scopes: Object.keys(MEANINGS),
    claims: {
      openid: ["sub"],
      profile: [
        "name",
        "preferred_username",
        "organization",
        "identity_provider",
        "identity_provider_display_name",
        "last_authentication",
      ],
      email: ["email"],
      "urn:globus:auth:scope:auth.globus.org:view_identity_set": ["identity_set"],
    },
    conformIdTokenClaims: false,
    extraParams: ["access_type", ...SESSION, "as", "deny"],
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: isOwn },
      introspection: { enabled: true, allowedPolicy: isOwn },
      rpInitiatedLogout: { enabled: true },
    },
    enabledJWA: { idTokenSigningAlgValues: [ALGORITHM] },
    pkce: { required: () => false },
    ttl: {
      AccessToken: LIFETIME_SECONDS,
      AuthorizationCode: 600,
      IdToken: LIFETIME_SECONDS,
      RefreshToken: 180 * 86_400,
      Interaction: 3600,
      Session: 86_400,
      Grant: 180 * 86_400,
    },
    issueRefreshToken: async (_, __, code) => isOffline(String(code.jti)),
    rotateRefreshToken: () => false,
    // The one token that is named ends; all of them only when a code is replayed.
    revokeGrantPolicy: (ctx) => ctx.oidc.route !== "revocation",
    interactions: { url: (_, interaction) => `/p/${interaction.uid}` },
    async findAccount(_, sub) {
      const person = personOf(sub);
      return person && { accountId: sub, claims: async () => claimsOf(person) };
    },
    async renderError(ctx, out) {
      ctx.type = "html";
      ctx.body = errorPage(BRAND, `${out.error}: ${out.error_description ?? ""}`);
    },
  };
}

const claimsOf = (person: GlobusPerson): AccountClaims => {
  const identity = {
    sub: person.sub,
    name: person.name,
    email: person.email,
    organization: person.organization,
    identity_provider: person.identityProvider,
    identity_provider_display_name: person.identityProviderName,
    last_authentication: Math.floor(Date.now() / 1000),
  };
  return {
    ...identity,
    preferred_username: person.username,
    identity_set: [{ ...identity, username: person.username }],
  };
};
