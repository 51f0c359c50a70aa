import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { type Call, callOf } from "./call-log.ts";
import { type GithubToken, githubApi } from "./github-api.ts";
import { type GithubPeople, type GithubPerson, githubPeople } from "./github-people.ts";
import { type Brand, consentPage, errorPage, signInPage } from "./page.ts";

export { CLOSED_ORGANIZATION, ORGANIZATION, TEAM } from "./github-people.ts";

/** How the stand-in misbehaves: at the exchange of the code, or (`rate-limited`, `down`) everywhere. */
export type GithubFault = "error" | "missing" | "rate-limited" | "down";

export interface Github {
  /** `http://127.0.0.1:port`; what GITHUB_URL is set to. The API is under `/api/v3`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Every request, oldest first. */
  readonly calls: readonly Call[];
  /** Who has an account; may be changed. */
  readonly people: GithubPeople;
  /** Access tokens that still work. */
  liveTokens(): readonly { kind: "access"; login: string; scopes: readonly string[] }[];
  /** Every code and token that was given out, dead ones too: what must be found nowhere. */
  secrets(): readonly string[];
  /** From now on the stand-in answers so; undefined: as it should. */
  break(fault: GithubFault | undefined): void;
  close(): Promise<void>;
}

export interface GithubOptions {
  /** Callback addresses that are registered; a path below one fits too. Absent: every one on loopback. */
  readonly callbackUrls?: readonly string[];
  /** Name of the application on the pages. */
  readonly app?: string;
}

interface Wish {
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scopes: readonly string[];
  readonly challenge: string | undefined;
}
type Text = Record<string, string | undefined>;

const BRAND: Brand = { name: "GitHub", colour: "#1f883d", mark: "gh" };
const MEANINGS: Readonly<Record<string, string>> = {
  user: "Read and write all of your profile",
  "read:user": "Read all of your profile",
  "user:email": "Read your e-mail addresses",
  "read:org": "Read which organizations and teams you belong to",
  "admin:org": "Administer your organizations",
  repo: "Read and write your repositories",
};
const CODE_MS = 10 * 60_000;
/** GitHub keeps so many tokens for one person, application and set of scopes; the oldest goes. */
const MOST_TOKENS = 10;

/** Starts a stand-in of GitHub's OAuth (web application flow, PKCE S256) and of the API calls a log-in needs, on loopback. */
export async function startGithub(options: GithubOptions = {}): Promise<Github> {
  const people = githubPeople();
  const clientId = `Ov23li${randomBytes(7).toString("hex")}`;
  const clientSecret = randomBytes(20).toString("hex");
  const app = options.app ?? "Elara";
  const calls: Call[] = [];
  const codes = new Map<string, Wish & { person: GithubPerson; endsAt: number }>();
  /** Browsers that are signed in, by their cookie. */
  const browsers = new Map<string, GithubPerson>();
  const allowed = new Map<GithubPerson, Set<string>>();
  const given: string[] = [];
  let tokens: GithubToken[] = [];
  let fault: GithubFault | undefined;
  let url = "";

  const server = fastify();
  server.addHook("onRequest", async ({ raw }) => void calls.push(callOf(raw)));
  server.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    async (_: unknown, text: string) => Object.fromEntries(new URLSearchParams(text)),
  );

  const registered = (address: string): boolean => {
    if (!URL.canParse(address)) return false;
    const { protocol, hostname, origin, pathname } = new URL(address);
    if (!options.callbackUrls)
      return protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
    return options.callbackUrls
      .map((known) => new URL(known))
      .some(
        (known) =>
          known.origin === origin &&
          (pathname === known.pathname || pathname.startsWith(`${known.pathname.replace(/\/$/, "")}/`)),
      );
  };
  const back = (
    wish: { redirectUri: string; state: string | undefined },
    fields: Record<string, string>,
  ): string => {
    const target = new URL(wish.redirectUri);
    for (const [name, value] of Object.entries(fields)) target.searchParams.set(name, value);
    if (wish.state !== undefined) target.searchParams.set("state", wish.state);
    return target.href;
  };
  const denied = (wish: Wish): string =>
    back(wish, {
      error: "access_denied",
      error_description: "The user has denied your application access.",
      error_uri:
        "https://docs.github.com/apps/managing-oauth-apps/troubleshooting-authorization-request-errors/#access-denied",
    });
  const granted = (wish: Wish, person: GithubPerson): string => {
    allowed.set(person, new Set([...(allowed.get(person) ?? []), ...wish.scopes]));
    const code = randomBytes(10).toString("hex");
    given.push(code);
    codes.set(code, { ...wish, person, endsAt: Date.now() + CODE_MS });
    return back(wish, { code });
  };

  server.get<{ Querystring: Text }>("/login/oauth/authorize", async (request, reply) => {
    const { query, url: asked } = request;
    reply.type("text/html; charset=utf-8");
    if (query.client_id !== clientId) return reply.status(404).send(errorPage(BRAND, "Not Found"));
    const wish: Wish = {
      redirectUri: query.redirect_uri ?? options.callbackUrls?.[0] ?? "",
      state: query.state,
      scopes: [...new Set((query.scope ?? "").split(/[\s,]+/))].filter((scope) => scope in MEANINGS),
      challenge: query.code_challenge,
    };
    if (!registered(wish.redirectUri)) {
      const first = options.callbackUrls?.[0];
      const mismatch = {
        error: "redirect_uri_mismatch",
        error_description: "The redirect_uri MUST match the registered callback URL for this application.",
      };
      return first
        ? reply.redirect(back({ ...wish, redirectUri: first }, mismatch))
        : reply.status(400).send(errorPage(BRAND, mismatch.error_description));
    }
    if (wish.challenge !== undefined && query.code_challenge_method !== "S256")
      return reply.redirect(
        back(wish, {
          error: "invalid_request",
          error_description: "Only S256 is supported as code_challenge_method.",
        }),
      );
    if (query.deny) return reply.redirect(denied(wish));
    if (query.as !== undefined) {
      const person = Object.entries(people).find(([key]) => key === query.as)?.[1];
      return person
        ? reply.redirect(granted(wish, person))
        : reply.status(404).send(errorPage(BRAND, `Nobody here is called ${query.as}.`));
    }
    const signedIn = browsers.get(/\bgithub_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "");
    if (!signedIn || query.prompt === "select_account")
      return signInPage(BRAND, {
        app,
        action: "/session",
        hidden: { return_to: asked.replace("prompt=select_account", "prompt=") },
        people: Object.entries(people)
          .filter(([, { login }]) => query.login === undefined || query.login === login)
          .map(([value, person]) => ({
            value,
            title: person.name,
            detail: `${person.login} · ${Object.keys(person.organizations).join(", ") || "in no organization"}`,
          })),
      });
    const before = allowed.get(signedIn);
    // GitHub asks again only when an application wants more than it was allowed.
    if (before && wish.scopes.every((scope) => before.has(scope)))
      return reply.redirect(granted(wish, signedIn));
    return consentPage(BRAND, {
      app,
      person: signedIn.login,
      action: "/login/oauth/authorize",
      hidden: { return_to: asked },
      scopes: [
        { scope: "public data", meaning: "Read your public profile" },
        ...wish.scopes.map((scope) => ({ scope, meaning: MEANINGS[scope] ?? scope })),
      ],
    });
  });

  const local = (path = ""): string => (/^\/login\/oauth\/authorize\?/.test(path) ? path : "/");
  server.post<{ Body: Text }>("/session", async ({ body }, reply) => {
    const person = Object.entries(people).find(([key]) => key === body.person)?.[1];
    if (!person)
      return reply.status(422).type("text/html").send(errorPage(BRAND, "Incorrect username or password."));
    const cookie = randomBytes(16).toString("hex");
    browsers.set(cookie, person);
    reply.header("Set-Cookie", `github_session=${cookie}; Path=/; HttpOnly; SameSite=Lax`);
    return reply.redirect(local(body.return_to), 302);
  });
  server.post<{ Body: Text }>("/login/oauth/authorize", async ({ body, headers }, reply) => {
    const person = browsers.get(/\bgithub_session=([^;]+)/.exec(headers.cookie ?? "")?.[1] ?? "");
    const { searchParams: query } = new URL(local(body.return_to), url);
    const wish: Wish = {
      redirectUri: query.get("redirect_uri") ?? "",
      state: query.get("state") ?? undefined,
      scopes: (query.get("scope") ?? "").split(/[\s,]+/).filter((scope) => scope in MEANINGS),
      challenge: query.get("code_challenge") ?? undefined,
    };
    if (!person || query.get("client_id") !== clientId || !registered(wish.redirectUri))
      return reply.status(422).type("text/html").send(errorPage(BRAND, "This page is too old."));
    return reply.redirect(body.answer === "allow" ? granted(wish, person) : denied(wish), 302);
  });

  server.post<{ Body: Text | null }>("/login/oauth/access_token", async ({ body, headers }, reply) => {
    if (fault === "down") return reply.status(502).type("text/html").send("<h1>502 Bad Gateway</h1>");
    /** As GitHub: form-encoded unless JSON is asked for, and an error is 200 too. */
    const answer = (fields: Record<string, string>): unknown =>
      headers.accept?.includes("application/json")
        ? reply.type("application/json; charset=utf-8").send(fields)
        : reply
            .type("application/x-www-form-urlencoded; charset=utf-8")
            .send(new URLSearchParams(fields).toString());
    const failed = (error: string, description: string): unknown =>
      answer({
        error,
        error_description: description,
        error_uri: `https://docs.github.com/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#${error.replaceAll("_", "-")}`,
      });
    const basic = Buffer.from(
      /^basic (\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? "",
      "base64",
    ).toString();
    const [id = "", secret = ""] = basic ? basic.split(":") : [body?.client_id, body?.client_secret];
    if (!isClient(id, secret))
      return failed(
        "incorrect_client_credentials",
        "The client_id and/or client_secret passed are incorrect.",
      );
    const code = body?.code ?? "";
    const wish = codes.get(code);
    // A code is good once, whatever comes of it.
    codes.delete(code);
    const verified =
      wish?.challenge === undefined ||
      createHash("sha256")
        .update(body?.code_verifier ?? "")
        .digest("base64url") === wish.challenge;
    if (!wish || wish.endsAt < Date.now() || !verified || fault === "error")
      return failed("bad_verification_code", "The code passed is incorrect or expired.");
    if (body?.redirect_uri !== undefined && body.redirect_uri !== wish.redirectUri)
      return failed(
        "redirect_uri_mismatch",
        "The redirect_uri MUST match the registered callback URL for this application.",
      );
    if (fault === "missing") return answer({ scope: wish.scopes.join(","), token_type: "bearer" });
    const token: GithubToken = {
      value: `gho_${randomBytes(27).toString("base64url").replace(/[-_]/g, "x")}`,
      person: wish.person,
      scopes: wish.scopes,
      madeAt: Date.now(),
    };
    tokens.push(token);
    given.push(token.value);
    const alike = tokens.filter(
      ({ person, scopes }) => person === token.person && scopes.join() === token.scopes.join(),
    );
    for (const old of alike.slice(0, -MOST_TOKENS)) tokens = tokens.filter((one) => one !== old);
    return answer({ access_token: token.value, scope: wish.scopes.join(","), token_type: "bearer" });
  });

  const isClient = (id: string, secret: string): boolean =>
    id === clientId &&
    secret.length === clientSecret.length &&
    timingSafeEqual(Buffer.from(secret), Buffer.from(clientSecret));
  await server.register(async (inner) =>
    githubApi(inner, () => url, {
      people,
      find: (value) => tokens.find((token) => token.value === value),
      revoke(which) {
        const before = tokens.length;
        tokens = tokens.filter((token) => !which(token));
        return before - tokens.length;
      },
      isClient,
      broken: () => (fault === "down" || fault === "rate-limited" ? fault : undefined),
    }),
  );

  await server.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  return {
    url,
    clientId,
    clientSecret,
    calls,
    people,
    liveTokens: () => tokens.map(({ person, scopes }) => ({ kind: "access", login: person.login, scopes })),
    secrets: () => [clientSecret, ...given],
    break(mode) {
      fault = mode;
    },
    async close() {
      server.server.closeAllConnections();
      await server.close();
    },
  };
}
