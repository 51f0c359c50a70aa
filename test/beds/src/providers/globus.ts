import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { exportJWK, generateKeyPair } from "jose";
import Provider, { type AccountClaims, type Configuration, type KoaContextWithOIDC } from "oidc-provider";
import { type Call, callOf } from "./call-log.ts";
import { COLLECTION, type GlobusPeople, type GlobusPerson, globusPeople } from "./globus-people.ts";
import { type Files, globusServices } from "./globus-services.ts";
import { AUTH, LIFETIME_SECONDS, openStorage, resourceServerOf, serviceTokens } from "./globus-tokens.ts";
import { type IdTokenFault, spoiler } from "./id-token.ts";
import { type Brand, consentPage, errorPage, signInPage } from "./page.ts";

export { ADMIN_GROUP, COLLECTION, DOMAIN, GROUP, IDENTITY_PROVIDER } from "./globus-people.ts";
export { type IdTokenFault, idTokenFaults } from "./id-token.ts";

/** How the stand-in misbehaves: a bad id_token at the exchange, or no answer but 503 there. */
export type GlobusFault = IdTokenFault | "down";

export interface LiveToken {
  readonly kind: "access" | "refresh";
  readonly resourceServer: string;
  readonly username: string;
}

export interface Globus {
  /** `http://127.0.0.1:port`, which is the issuer too. */
  readonly url: string;
  readonly issuer: string;
  readonly endpoints: Readonly<
    Record<
      "authorize" | "token" | "userinfo" | "revoke" | "introspect" | "jwks" | "groups" | "transfer",
      string
    >
  >;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Every request, oldest first. */
  readonly calls: readonly Call[];
  /** Who has an identity; may be changed. */
  readonly people: GlobusPeople;
  /** What lies on the collection, by absolute path. */
  readonly files: Files;
  /** Tokens of every resource server that still work. */
  liveTokens(): readonly LiveToken[];
  /** From now on the token endpoint answers so; undefined: as it should. */
  break(fault: GlobusFault | undefined): void;
  /** From now on the collection refuses sessions without a log-in of this domain; undefined: takes all. */
  requireDomain(domain: string | undefined): void;
  close(): Promise<void>;
}

export interface GlobusOptions {
  /** Callback addresses that are registered. Absent: every one on loopback. */
  readonly callbackUrls?: readonly string[];
  /** Name of the application on the pages. */
  readonly app?: string;
  /** Whether `session_required_single_domain` is held against who signs in; Globus takes any linked identity. Default true. */
  readonly holdsDomain?: boolean;
}

const BRAND: Brand = { name: "Globus", colour: "#2b5a9b", mark: "G" };
const MEANINGS: Readonly<Record<string, string>> = {
  openid: "Know who you are in Globus",
  profile: "View your identity details",
  email: "View your e-mail address",
  "urn:globus:auth:scope:auth.globus.org:view_identity_set": "View your identities on Globus Auth",
  "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships":
    "View your groups and memberships",
  "urn:globus:auth:scope:groups.api.globus.org:all": "View and manage your groups",
  "urn:globus:auth:scope:transfer.api.globus.org:all": "Transfer and synchronize files",
};
const SESSION = [
  "session_required_identities",
  "session_required_single_domain",
  "session_required_policies",
  "session_required_mfa",
  "session_message",
] as const;
/** What Globus signs with. */
const ALGORITHM = "RS512";
const domainOf = ({ username }: GlobusPerson): string => username.slice(username.indexOf("@") + 1);

/** Starts a stand-in of Globus Auth with two of its services, groups and transfer, on loopback. */
export async function startGlobus(options: GlobusOptions = {}): Promise<Globus> {
  const people = globusPeople();
  const clientId = randomUUID();
  const clientSecret = randomBytes(33).toString("base64");
  const app = options.app ?? "Elara";
  const calls: Call[] = [];
  const files: Files = new Map([["/data/measurements.csv", measurements()]]);
  const tokens = serviceTokens();
  /** What a code was asked for with, which the library forgets: by code. */
  const asked = new Map<string, { isOffline: boolean; state: string | undefined; sessionDomain: string }>();
  let fault: GlobusFault | undefined;
  let domain: string | undefined;

  const kid = randomUUID();
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid, alg: ALGORITHM, use: "sig" };
  const idTokens = await spoiler({ key: privateKey, kid, alg: ALGORITHM });

  // The issuer has the port in it, so the socket comes first.
  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const server = createServer((request, response) => {
    calls.push(callOf(request));
    answer(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const storage = openStorage({
    client_id: clientId,
    client_secret: clientSecret,
    client_name: app,
    redirect_uris: [...(options.callbackUrls ?? ["http://127.0.0.1/callback"])],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    id_token_signed_response_alg: ALGORITHM,
  });
  const personOf = (sub: string | undefined): GlobusPerson | undefined =>
    Object.values(people).find((person) => person.sub === sub);

  const isOwn = (
    _: unknown,
    client: { clientId: string },
    token: { clientId?: string | undefined },
  ): boolean => client.clientId === token.clientId;

  const configuration: Configuration = {
    adapter: storage.adapter,
    jwks: { keys: [jwk] } as NonNullable<Configuration["jwks"]>,
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
    issueRefreshToken: async (_, __, code) => asked.get(String(code.jti))?.isOffline ?? false,
    rotateRefreshToken: () => false,
    // The one token that is named ends; all of them only when a code is replayed.
    revokeGrantPolicy: (ctx) => ctx.oidc.route !== "revocation",
    interactions: { url: (_, interaction) => `/p/${interaction.uid}` },
    async findAccount(ctx, sub) {
      const person = personOf(sub);
      return person && { accountId: sub, claims: async () => claimsOf(person, ctx) };
    },
    async renderError(ctx, out) {
      ctx.type = "html";
      ctx.body = errorPage(BRAND, `${out.error}: ${out.error_description ?? ""}`);
    },
  };
  const claimsOf = (person: GlobusPerson, ctx: KoaContextWithOIDC): AccountClaims => {
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
      // "wrong-subject" is told by userinfo and id_token differing; the id_token is the one that is changed.
      sub: ctx.oidc.account?.accountId ?? person.sub,
      preferred_username: person.username,
      identity_set: [{ ...identity, username: person.username }],
    };
  };

  const provider = new Provider(url, configuration);
  provider.on("grant.revoked", (_, grantId) => tokens.revokeGrant(grantId));
  if (!options.callbackUrls) {
    provider.Client.prototype.redirectUriAllowed = (address: string) =>
      URL.canParse(address) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(address).hostname);
  }

  provider.use(async (ctx, next) => {
    // Globus takes an id and secret in the header as they are too; the library only percent-encoded ones.
    if (ctx.headers.authorization === `Basic ${base64(`${clientId}:${clientSecret}`)}`)
      ctx.headers.authorization = `Basic ${base64(`${clientId}:${encodeURIComponent(clientSecret)}`)}`;
    if (fault === "down" && ctx.path === "/v2/oauth2/token") {
      ctx.status = 503;
      ctx.body = "";
      return;
    }
    await next();
    const { oidc } = ctx as KoaContextWithOIDC;
    const params = (oidc?.params ?? {}) as Record<string, string | undefined>;
    if (oidc?.entities.AuthorizationCode && ctx.path.startsWith("/v2/oauth2/authorize")) {
      const person = personOf(oidc.entities.AuthorizationCode.accountId);
      asked.set(oidc.entities.AuthorizationCode.jti, {
        isOffline: params.access_type === "offline",
        state: params.state,
        sessionDomain: person ? domainOf(person) : "",
      });
    }
    if (ctx.path === "/v2/oauth2/token") await exchanged(ctx as KoaContextWithOIDC, params);
    if (ctx.path === "/v2/oauth2/token/revoke" && ctx.status === 200) {
      tokens.revoke(params.token ?? "");
      ctx.body = { active: false };
    }
    if (ctx.path === "/v2/oauth2/token/introspect" && ctx.status === 200) {
      const token = tokens.find(params.token ?? "");
      if (token)
        ctx.body = {
          active: true,
          scope: token.scope,
          client_id: token.clientId,
          sub: token.person.sub,
          username: token.person.username,
          aud: [token.resourceServer, token.clientId],
          iss: url,
          exp: Math.floor(token.endsAt / 1000),
          token_type: "Bearer",
        };
    }
  });

  /** Makes the library's answer of the token endpoint one of Globus. */
  async function exchanged(
    ctx: KoaContextWithOIDC,
    params: Record<string, string | undefined>,
  ): Promise<void> {
    const body = Object(ctx.body) as Record<string, unknown>;
    if (ctx.status !== 200) {
      const old = params.grant_type === "refresh_token" ? tokens.find(params.refresh_token ?? "") : undefined;
      if (
        old?.kind === "refresh" &&
        body.error === "invalid_grant" &&
        old.clientId === ctx.oidc.client?.clientId
      ) {
        ctx.status = 200;
        ctx.body = { ...tokens.refresh(old), other_tokens: [] };
      } else if (body.error === "invalid_grant") ctx.status = 401;
      return;
    }
    const { AuthorizationCode: code, RefreshToken: refresh } = ctx.oidc.entities;
    const scopes = String(body.scope ?? "").split(" ");
    const before = code && asked.get(code.jti);
    const person = personOf((code ?? refresh)?.accountId);
    Object.assign(body, {
      scope: scopes.filter((scope) => resourceServerOf(scope) === AUTH).join(" "),
      resource_server: AUTH,
      ...(before?.state === undefined ? {} : { state: before.state }),
      other_tokens:
        code && before && person
          ? tokens.give(scopes, before.isOffline, {
              person,
              clientId: code.clientId ?? clientId,
              grantId: code.grantId ?? "",
              sessionDomain: before.sessionDomain,
            })
          : [],
    });
    if (typeof body.id_token === "string") {
      if (fault === undefined || fault === "down") idTokens.given(body.id_token);
      else body.id_token = await idTokens.spoil(fault, body.id_token);
      if (body.id_token === undefined) delete body.id_token;
    }
    ctx.body = body;
  }

  const web = fastify();
  web.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    async (_: unknown, text: string) => Object.fromEntries(new URLSearchParams(text)),
  );
  await web.register(async (inner) =>
    globusServices(inner, {
      files,
      find: tokens.find,
      isForAuth: (value) => storage.live("AccessToken").some(({ id }) => id === value),
      requiredDomain: () => domain,
    }),
  );
  const finish = provider.interactionFinished.bind(provider);
  type Visit = { Params: { uid: string }; Body: Record<string, string | undefined> | null };
  web.route<Visit>({
    method: ["GET", "POST"],
    url: "/p/:uid",
    async handler({ raw, body }, reply) {
      const details = await provider.interactionDetails(raw, reply.raw);
      const { params, prompt, session } = details;
      const scopes = String(params.scope ?? "")
        .split(" ")
        .filter((scope) => Object.hasOwn(MEANINGS, scope));
      const end = async (result: Parameters<typeof finish>[2], merged = true) => {
        reply.hijack();
        await finish(raw, reply.raw, result, { mergeWithLastSubmission: merged });
      };
      const deny = () =>
        end({ error: "access_denied", error_description: "The user denied the request." }, false);
      const granted = async (accountId: string): Promise<string> => {
        const grant = new provider.Grant({ accountId, clientId: String(params.client_id) });
        grant.addOIDCScope(scopes.join(" "));
        return grant.save();
      };
      const wanted = String(params.session_required_single_domain ?? "")
        .split(",")
        .filter(Boolean);
      const fits = (person: GlobusPerson): boolean =>
        options.holdsDomain === false || wanted.length === 0 || wanted.includes(domainOf(person));
      const named = (key: unknown): GlobusPerson | undefined =>
        Object.entries(people).find(([name, person]) => name === key && fits(person))?.[1];

      if (params.deny) return deny();
      const scripted = params.as === undefined ? undefined : named(params.as);
      if (scripted)
        return end({ login: { accountId: scripted.sub }, consent: { grantId: await granted(scripted.sub) } });
      if (body?.answer === "deny") return deny();
      const chosen = body?.person === undefined ? undefined : named(body.person);
      if (prompt.name === "login" && chosen) return end({ login: { accountId: chosen.sub } });
      if (prompt.name === "consent" && body?.answer === "allow" && session)
        return end({ consent: { grantId: await granted(session.accountId) } });
      reply.type("text/html; charset=utf-8");
      const action = `/p/${details.uid}`;
      if (prompt.name === "consent")
        return consentPage(BRAND, {
          app,
          person: personOf(session?.accountId)?.username ?? "you",
          action,
          hidden: {},
          scopes: scopes.map((scope) => ({ scope, meaning: MEANINGS[scope] ?? scope })),
        });
      return signInPage(BRAND, {
        app,
        action,
        hidden: {},
        note:
          params.session_message === undefined
            ? wanted.length > 0
              ? `Only identities of ${wanted.join(", ")} fit.`
              : undefined
            : String(params.session_message),
        people: Object.entries(people)
          .filter(([, person]) => fits(person))
          .map(([value, person]) => ({
            value,
            title: person.name,
            detail: `${person.username} · ${person.identityProviderName}`,
          })),
      });
    },
  });
  await web.ready();
  const oidc = provider.callback();
  answer = (request, response) =>
    /^\/(p\/|v2\/groups\/|v0\.10\/)/.test(request.url ?? "")
      ? web.routing(request, response)
      : oidc(request, response);

  const accountName = (sub: unknown): string => personOf(String(sub))?.username ?? "";
  return {
    url,
    issuer: url,
    endpoints: {
      authorize: `${url}/v2/oauth2/authorize`,
      token: `${url}/v2/oauth2/token`,
      userinfo: `${url}/v2/oauth2/userinfo`,
      revoke: `${url}/v2/oauth2/token/revoke`,
      introspect: `${url}/v2/oauth2/token/introspect`,
      jwks: `${url}/jwk.json`,
      groups: `${url}/v2/groups/my_groups`,
      transfer: `${url}/v0.10/operation/endpoint/${COLLECTION}`,
    },
    clientId,
    clientSecret,
    calls,
    people,
    files,
    liveTokens: () => [
      ...(["AccessToken", "RefreshToken"] as const).flatMap((model) =>
        storage.live(model).map(({ payload }) => ({
          kind: model === "AccessToken" ? ("access" as const) : ("refresh" as const),
          resourceServer: AUTH,
          username: accountName(payload.accountId),
        })),
      ),
      ...tokens
        .all()
        .map(({ kind, resourceServer, person }) => ({ kind, resourceServer, username: person.username })),
    ],
    break(mode) {
      fault = mode;
    },
    requireDomain(name) {
      domain = name;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await web.close();
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A table worth plotting: a decaying wave. */
const measurements = (): Buffer =>
  Buffer.from(
    `time_s,amplitude\n${Array.from({ length: 60 }, (_, step) => {
      const time = step / 4;
      return `${time},${(Math.exp(-time / 6) * Math.cos(2 * time)).toFixed(5)}`;
    }).join("\n")}\n`,
  );
