import { PluginError, type PluginErrorOptions } from "@elara/sdk";

/** What can go wrong with any provider. The names in braces are those of ProviderWords. */
const SHARED = {
  CLIENT_ID_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "No client id: set option `clientId`, or {idNames} in the environment. {place} shows it where the hub is registered.",
  },
  CLIENT_SECRET_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "No client secret: set option `clientSecret` ({ env } or { file }), or {secretNames} in the environment.",
  },
  ADDRESS_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "An address is no http(s) URL without query; the message names the option and its environment variable.",
  },
  CALLBACK_INVALID: {
    status: 500,
    user: "Logging in with {place} is not set up right. Tell the administrators.",
    operator:
      "Option `callbackUrl` (OAUTH_CALLBACK_URL) does not lead to this log-in: its path must be the hub's /hub/oauth_callback/NAME, or /hub/oauth_callback for the first way to log in, at `hub.publicUrl` where that is set. Register the same URL at {place}.",
  },
  CLIENT_REFUSED: {
    status: 503,
    user: "Logging in with {place} is not set up right. Tell the administrators.",
    operator:
      "{place} does not accept the hub's client id and secret. Compare options `clientId` ({idNames}) and `clientSecret` ({secretNames}) with the hub's registration there.",
  },
  UNREACHABLE: {
    status: 503,
    user: "{place} does not answer at the moment. Try again later.",
    operator:
      "{place} could not be asked; the detail has the address and the reason. Is it reachable from this machine (proxy, firewall, certificate)?",
    retryable: true,
  },
  PROVIDER_ERROR: {
    status: 503,
    user: "{place} gave an answer that the hub does not understand. Try again later.",
    operator:
      "{place} answered with an error or without what was asked for; the detail has the address, status or its error code.",
    retryable: true,
  },
  DENIED: {
    status: 400,
    user: "{place} did not let you through to the hub, or you said no there. Begin again.",
    operator:
      "{place} sent the person back with an error (access_denied, login_required, …) instead of a code.",
  },
  CALLBACK_ERROR: {
    status: 400,
    user: "This login came back with an error instead of an answer of {place}. Begin again; if it stays, tell the administrators.",
    operator:
      "The callback's `error` says neither that the person said no nor that {place} has trouble; the detail has its code. `invalid_scope`: compare option `scope`, `redirect_uri_mismatch`: `callbackUrl`, with the registration; anything else somebody may have written into the address.",
  },
  STATE_INVALID: {
    status: 400,
    user: "This login was not begun in this browser, or too long ago. Begin again.",
    operator: "The callback's `state` is not the one of the attempt: an old link, or an attack.",
  },
  CODE_MISSING: {
    status: 400,
    user: "{place} sent you back without an answer. Begin again.",
    operator: "The callback has neither `code` nor `error`.",
  },
  CODE_REFUSED: {
    status: 400,
    user: "{place} no longer accepts this login. Begin again.",
    operator: "The code was used already, is too old, or belongs to another attempt or callback URL.",
  },
  ISSUER_MISMATCH: {
    status: 403,
    user: "This login came back from another place than it was sent to. Begin again.",
    operator: "`iss` of the callback is not {place}'s issuer: a mix-up attack, or option `issuer` is wrong.",
  },
} as const;

/** Refusals of the judge: a provider that speaks OpenID Connect has them too. */
const JUDGED = {
  ID_TOKEN_MISSING: {
    operator: "The token answer has no id_token. Is `openid` among the scopes, and `tokenUrl` right?",
  },
  ID_TOKEN_MALFORMED: { operator: "The id_token is no signed JWT, or lacks `exp`, `iat`, `sub` or `nonce`." },
  ID_TOKEN_UNSIGNED: {
    operator:
      "The id_token is unsigned (alg none) or signed with a shared secret (HMAC); only the provider's own keys count.",
  },
  ID_TOKEN_FORGED: {
    operator:
      "The id_token's signature is by none of the keys at `jwksUrl`: it was forged, or the address is another provider's.",
  },
  ID_TOKEN_ISSUER: { operator: "The id_token is of another issuer than option `issuer`." },
  ID_TOKEN_AUDIENCE: {
    operator: "The id_token is for another client (`aud`, `azp`) than option `clientId`.",
  },
  ID_TOKEN_EXPIRED: {
    operator: "The id_token has expired, is too old, or not valid yet. Is this machine's clock right?",
  },
  ID_TOKEN_REPLAYED: {
    operator: "The id_token's `nonce` is not the one of this attempt: it was made for another.",
  },
  SUBJECT_MISMATCH: { operator: "The userinfo address speaks of another person (`sub`) than the id_token." },
} as const;

export type SharedFault = keyof typeof SHARED;
export type JudgedFault = keyof typeof JUDGED;

/** A row as the hub's tables have it. */
interface Row {
  status: number;
  user: string;
  operator: string;
  retryable?: boolean;
}

/** How a provider is called in its sentences. */
export interface ProviderWords {
  readonly place: string;
  readonly idNames: string;
  readonly secretNames: string;
}

/** The shared part of a provider's table: codes begin with `prefix`. */
export const sharedErrors = <P extends string>(prefix: P, words: ProviderWords) =>
  rows(prefix, words, SHARED) as Record<`${P}_${SharedFault}`, Row>;

/** The judge's part of it. */
export function judgedErrors<P extends string>(prefix: P, words: ProviderWords) {
  const user =
    "{place}'s answer could not be trusted, so nobody was logged in. Begin again; if it stays, tell the administrators.";
  const entries = Object.entries(JUDGED).map(([fault, row]) => [fault, { status: 403, user, ...row }]);
  return rows(prefix, words, Object.fromEntries(entries)) as Record<`${P}_${JudgedFault}`, Row>;
}

function rows(prefix: string, words: ProviderWords, table: Readonly<Record<string, Row>>) {
  const filled = (text: string): string =>
    Object.entries(words).reduce((rest, [key, word]) => rest.replaceAll(`{${key}}`, word), text);
  return Object.fromEntries(
    Object.entries(table).map(([fault, row]) => [
      `${prefix}_${fault}`,
      { ...row, user: filled(row.user), operator: filled(row.operator) },
    ]),
  );
}

/** Makes the errors of one plugin by the part of their code after the prefix. */
export type Faults<F extends string = string> = (fault: F, options?: PluginErrorOptions) => PluginError;

export const faultsOf =
  <F extends string>(prefix: string, errors: Readonly<Record<string, Row>>): Faults<F> =>
  (fault, options) =>
    new PluginError(errors, `${prefix}_${fault}`, options);
