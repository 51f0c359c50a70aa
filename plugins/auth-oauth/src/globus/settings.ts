import { type Static, Type } from "@elara/sdk";
import {
  type CallbackPlace,
  type Environment,
  isTlsVerified,
  type Setting,
  settled,
  settledAddress,
  settledCallback,
  settledClient,
} from "../settings.ts";
import { faults, GLOBUS_ID_NAMES, GLOBUS_SECRET_NAMES } from "./errors.ts";

const UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
const GROUPS_SCOPE = "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships";

const address = (description: string) => Type.String({ default: "", description });
const uuids = (description: string) =>
  Type.Array(Type.String({ pattern: UUID }), { default: [], description });

/** Options of `globus`; what is absent is read from oauthenticator's environment variables. */
export const options = Type.Object(
  {
    clientId: Type.String({
      default: "",
      description: "Client UUID of the hub's registration at Globus; else OAUTH_CLIENT_ID.",
    }),
    clientSecret: Type.String({
      default: "",
      secret: true,
      description: "Its client secret, by { env } or { file }; else OAUTH_CLIENT_SECRET.",
    }),
    callbackUrl: address(
      "The redirect URL registered at Globus; else OAUTH_CALLBACK_URL (without a name: the first entry's, and with /NAME behind it the others'), else /hub/oauth_callback/NAME at the address the browser used.",
    ),
    identityProvider: Type.String({
      default: "",
      pattern: "^([A-Za-z0-9-]+\\.)*[A-Za-z0-9-]*$",
      description:
        "Only identities of this domain may log in, whatever the allow rules say; people are sent to its log-in. Else IDENTITY_PROVIDER.",
    }),
    identityProviderId: Type.String({
      default: "",
      pattern: `${UUID}|^$`,
      description: "Only identities of the identity provider with this UUID may log in.",
    }),
    allowedGlobusGroups: uuids("Members of these groups get in (UUIDs)."),
    adminGlobusGroups: uuids(
      "Members of these groups get in and are administrators; whoever is in none of them is none (UUIDs).",
    ),
    scope: Type.Array(Type.String({ pattern: "^\\S+$" }), {
      default: [],
      description:
        "Further scopes, as urn:globus:auth:scope:transfer.api.globus.org:all; their tokens reach the person's servers. openid, profile and what the groups need are asked for by themselves.",
    }),
    offlineAccess: Type.Boolean({
      default: false,
      description: "Ask for refresh tokens too; without, tokens end after two days.",
    }),
    usernameFromEmail: Type.Boolean({
      default: false,
      description:
        "Name people by what stands before the @ of their e-mail address, not of their Globus username.",
    }),
    excludeTokens: Type.Array(Type.String(), {
      default: ["auth.globus.org", "groups.api.globus.org"],
      description: "Resource servers whose tokens stay out of people's servers.",
    }),
    globusLocalEndpoint: Type.String({
      default: "",
      description:
        "UUID of the hub's own collection, told to servers as GLOBUS_LOCAL_ENDPOINT; else of that variable.",
    }),
    revokeTokensOnLogout: Type.Boolean({
      default: true,
      description: "Revoke all tokens when the session ends.",
    }),
    issuer: address(
      "Issuer in id_tokens, compared as it is written, and part of people's identity; default: https://auth.globus.org. The next five addresses default to it.",
    ),
    authorizeUrl: address("Where people are sent; else OAUTH2_AUTHORIZE_URL, else /v2/oauth2/authorize."),
    tokenUrl: address("Where codes are exchanged; else OAUTH2_TOKEN_URL, else /v2/oauth2/token."),
    userdataUrl: address("Userinfo; else OAUTH2_USERDATA_URL, else /v2/oauth2/userinfo."),
    revocationUrl: address("Where tokens are revoked; default: /v2/oauth2/token/revoke."),
    jwksUrl: address("The issuer's keys; default: /jwk.json."),
    groupsUrl: address("Default: https://groups.api.globus.org/v2/groups/my_groups."),
  },
  { additionalProperties: false },
);

export type GlobusOptions = Static<typeof options>;

/** All of it settled, and checked. */
export interface GlobusSettings
  extends Pick<GlobusOptions, "usernameFromEmail" | "excludeTokens" | "revokeTokensOnLogout">,
    Record<
      "issuer" | "authorizeUrl" | "tokenUrl" | "userdataUrl" | "revocationUrl" | "jwksUrl" | "groupsUrl",
      string
    > {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbackUrl: string;
  readonly domain: string;
  readonly identityProviderId: string;
  readonly allowedGroups: readonly string[];
  readonly adminGroups: readonly string[];
  readonly scope: readonly string[];
  /** For the authorize address. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly localEndpoint: string;
  readonly isTlsVerified: boolean;
}

/** Options over environment over Globus' own addresses. Throws the GLOBUS_ codes of a wrong configuration. */
export function globusSettings(given: GlobusOptions, env: Environment, place: CallbackPlace): GlobusSettings {
  const setting = (option: keyof GlobusOptions, ...names: string[]): Setting => ({
    option,
    value: String(given[option]),
    names,
  });
  const at = (option: keyof GlobusOptions, fallback: string, ...names: string[]): string =>
    settledAddress(setting(option, ...names), fallback, env, faults);
  const issuer = at("issuer", "https://auth.globus.org");
  const domain = settled(setting("identityProvider", "IDENTITY_PROVIDER"), env).toLowerCase();
  const groups = [given.allowedGlobusGroups, given.adminGlobusGroups].map((ids) =>
    ids.map((id) => id.toLowerCase()),
  );
  const [allowedGroups = [], adminGroups = []] = groups;
  return {
    ...settledClient(
      {
        id: setting("clientId", ...GLOBUS_ID_NAMES),
        secret: setting("clientSecret", ...GLOBUS_SECRET_NAMES),
      },
      env,
      faults,
    ),
    issuer,
    authorizeUrl: at("authorizeUrl", `${issuer}/v2/oauth2/authorize`, "OAUTH2_AUTHORIZE_URL"),
    tokenUrl: at("tokenUrl", `${issuer}/v2/oauth2/token`, "OAUTH2_TOKEN_URL"),
    userdataUrl: at("userdataUrl", `${issuer}/v2/oauth2/userinfo`, "OAUTH2_USERDATA_URL"),
    revocationUrl: at("revocationUrl", `${issuer}/v2/oauth2/token/revoke`),
    jwksUrl: at("jwksUrl", `${issuer}/jwk.json`),
    groupsUrl: at("groupsUrl", "https://groups.api.globus.org/v2/groups/my_groups"),
    callbackUrl: settledCallback(given.callbackUrl, env, place, faults),
    domain,
    identityProviderId: given.identityProviderId.toLowerCase(),
    allowedGroups,
    adminGroups,
    scope: [
      ...new Set([
        "openid",
        "profile",
        ...(given.usernameFromEmail ? ["email"] : []),
        ...given.scope,
        ...(groups.flat().length > 0 ? [GROUPS_SCOPE] : []),
      ]),
    ],
    parameters: {
      ...(given.offlineAccess ? { access_type: "offline" } : {}),
      ...(domain ? { session_required_single_domain: domain } : {}),
    },
    usernameFromEmail: given.usernameFromEmail,
    excludeTokens: given.excludeTokens,
    revokeTokensOnLogout: given.revokeTokensOnLogout,
    localEndpoint: settled(setting("globusLocalEndpoint", "GLOBUS_LOCAL_ENDPOINT"), env),
    isTlsVerified: isTlsVerified(env),
  };
}
