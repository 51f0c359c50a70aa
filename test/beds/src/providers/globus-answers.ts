import type { KoaContextWithOIDC } from "oidc-provider";
import { domainOf } from "./globus-pages.ts";
import type { GlobusPerson } from "./globus-people.ts";
import { AUTH, resourceServerOf, type serviceTokens } from "./globus-tokens.ts";
import type { IdTokenFault, spoiler } from "./id-token.ts";

/** How the stand-in misbehaves: a bad id_token at the exchange, or no answer but 503 there. */
export type GlobusFault = IdTokenFault | "down";

/** What a code was asked for with, which the library forgets: by code. */
export type Asked = Map<string, { isOffline: boolean; state: string | undefined; sessionDomain: string }>;

export interface AnswerParts {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tokens: ReturnType<typeof serviceTokens>;
  readonly asked: Asked;
  readonly idTokens: Awaited<ReturnType<typeof spoiler>>;
  /** Collects every code and token that goes out. */
  readonly given: string[];
  personOf(sub: string | undefined): GlobusPerson | undefined;
  fault(): GlobusFault | undefined;
}

type Context = Omit<KoaContextWithOIDC, "oidc"> & { oidc?: KoaContextWithOIDC["oidc"] };

/** Lays over the library's answers what Globus says more: `resource_server`, `other_tokens`, the states of revoked tokens. */
export function globusAnswers({
  url,
  clientId,
  clientSecret,
  tokens,
  asked,
  idTokens,
  personOf,
  given,
  fault,
}: AnswerParts) {
  return async (ctx: Context, next: () => Promise<unknown>): Promise<void> => {
    // Globus takes an id and secret in the header as they are too; the library only percent-encoded ones.
    if (ctx.headers.authorization === `Basic ${base64(`${clientId}:${clientSecret}`)}`)
      ctx.headers.authorization = `Basic ${base64(`${clientId}:${encodeURIComponent(clientSecret)}`)}`;
    if (fault() === "down" && ctx.path === "/v2/oauth2/token") {
      ctx.status = 503;
      ctx.body = "";
      return;
    }
    await next();
    const { oidc } = ctx as KoaContextWithOIDC;
    const params = (oidc?.params ?? {}) as Record<string, string | undefined>;
    if (oidc?.entities.AuthorizationCode && ctx.path.startsWith("/v2/oauth2/authorize")) {
      const person = personOf(oidc.entities.AuthorizationCode.accountId);
      given.push(oidc.entities.AuthorizationCode.jti);
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
  };

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
        const fresh = tokens.refresh(old);
        given.push(fresh.access_token);
        ctx.body = { ...fresh, other_tokens: [] };
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
      const wrong = fault();
      if (wrong === undefined || wrong === "down") idTokens.given(body.id_token);
      else body.id_token = await idTokens.spoil(wrong, body.id_token);
      if (body.id_token === undefined) delete body.id_token;
    }
    ctx.body = body;
    // Parts of an id_token are told apart: its head is no secret, and the same in all.
    for (const text of JSON.stringify(body).matchAll(/"(?:access_token|refresh_token|id_token)":"([^"]+)"/g))
      given.push(text[1]?.split(".").at(-1) || (text[1] ?? ""));
  }
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
