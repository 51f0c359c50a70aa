import { type Static, Type } from "@elara/sdk";
import {
  type CallbackPlace,
  type Environment,
  isTlsVerified,
  settledAddress,
  settledCallback,
  settledClient,
} from "../settings.ts";
import { faults, GITHUB_ID_NAMES, GITHUB_SECRET_NAMES } from "./errors.ts";

const GITHUB_URL = "https://github.com";

/** Options of `github`; what is absent is read from oauthenticator's environment variables. */
export const options = Type.Object(
  {
    clientId: Type.String({
      default: "",
      description: "Client id of the hub's OAuth App; else GITHUB_CLIENT_ID, OAUTH_CLIENT_ID.",
    }),
    clientSecret: Type.String({
      default: "",
      secret: true,
      description:
        "Its client secret, by { env } or { file }; else GITHUB_CLIENT_SECRET, OAUTH_CLIENT_SECRET.",
    }),
    callbackUrl: Type.String({
      default: "",
      description:
        "The callback URL registered at GitHub; else OAUTH_CALLBACK_URL (without a name: the first entry's, and with /NAME behind it the others'), else /hub/oauth_callback/NAME at the address the browser used.",
    }),
    githubUrl: Type.String({
      default: "",
      description:
        "GitHub Enterprise: its address; else GITHUB_URL, GITHUB_HOST (with GITHUB_HTTP); else https://github.com. Part of people's identity: at another address they are others.",
    }),
    githubApi: Type.String({
      default: "",
      description: "Its API; default: https://api.github.com, else `githubUrl` with /api/v3.",
    }),
    allowedOrganizations: Type.Array(
      Type.String({
        pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}(:[A-Za-z0-9][A-Za-z0-9._-]{0,254})?$",
        description: "The organisation's name as in its address, or `org:team`.",
      }),
      {
        default: [],
        description: "Members get in: `org`, or `org:team` with the team's name as in its URL.",
      },
    ),
    scope: Type.Array(Type.String({ minLength: 1, pattern: "^\\S+$" }), {
      default: [],
      description:
        "Further scopes to ask for; `read:org` is asked for by itself when organisations are named.",
    }),
    populateTeams: Type.Boolean({
      default: false,
      description: "Keep the person's teams in auth_state (`teams`).",
    }),
  },
  { additionalProperties: false },
);

/** All of it settled, and checked. */
export interface GithubSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly callbackUrl: string;
  readonly url: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly api: string;
  readonly rules: readonly string[];
  readonly scope: readonly string[];
  readonly hasTeams: boolean;
  readonly isTlsVerified: boolean;
}

/** Options over environment over GitHub's own addresses. Throws the GITHUB_ codes of a wrong configuration. */
export function githubSettings(
  options_: Static<typeof options>,
  env: Environment,
  place: CallbackPlace,
): GithubSettings {
  const { clientId, clientSecret, callbackUrl, githubUrl, githubApi, allowedOrganizations } = options_;
  // One spelling: it vouches for people (`issuer`), who would else be strangers after a change of case.
  const { origin, pathname } = new URL(
    settledAddress(
      { option: "githubUrl", value: githubUrl || hostUrl(env), names: ["GITHUB_URL", "GITHUB_HOST"] },
      GITHUB_URL,
      {},
      faults,
    ),
  );
  const url = `${origin}${pathname}`.replace(/\/$/, "");
  const instance = url.replace(/\/(login|api)(\/.*)?$/i, "");
  if (instance !== url)
    throw faults("ADDRESS_INVALID", {
      field: "githubUrl",
      operator: `Option \`githubUrl\` (GITHUB_URL or GITHUB_HOST in the environment) must be the address of the instance, ${instance}, not ${url}.`,
    });
  const isOrganisationAsked = allowedOrganizations.length > 0 || options_.populateTeams;
  return {
    ...settledClient(
      {
        id: { option: "clientId", value: clientId, names: GITHUB_ID_NAMES },
        secret: { option: "clientSecret", value: clientSecret, names: GITHUB_SECRET_NAMES },
      },
      env,
      faults,
    ),
    callbackUrl: settledCallback(callbackUrl, env, place, faults),
    url,
    authorizeUrl: `${url}/login/oauth/authorize`,
    tokenUrl: `${url}/login/oauth/access_token`,
    api: settledAddress(
      { option: "githubApi", value: githubApi, names: [] },
      url === GITHUB_URL ? "https://api.github.com" : `${url}/api/v3`,
      {},
      faults,
    ),
    rules: allowedOrganizations,
    scope: [...new Set([...options_.scope, ...(isOrganisationAsked ? ["read:org"] : [])])],
    hasTeams: options_.populateTeams,
    isTlsVerified: isTlsVerified(env),
  };
}

/** GITHUB_URL may lack its protocol; GITHUB_HOST always does. */
function hostUrl(env: Environment): string {
  const { GITHUB_URL: url, GITHUB_HOST: host, GITHUB_HTTP: isHttp } = env;
  if (url) return url.includes("://") ? url : `https://${url}`;
  return host ? `${isHttp ? "http" : "https"}://${host}` : "";
}
