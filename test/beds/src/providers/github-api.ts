import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CLOSED_ORGANIZATION, type GithubPeople, type GithubPerson } from "./github-people.ts";

export interface GithubToken {
  readonly value: string;
  readonly person: GithubPerson;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch; GitHub's end only when they are revoked. */
  readonly madeAt: number;
}

export interface GithubApiParts {
  readonly people: GithubPeople;
  /** The token of this value, unless revoked. */
  find(value: string): GithubToken | undefined;
  /** Drops tokens; gives back how many were there. */
  revoke(which: (token: GithubToken) => boolean): number;
  isClient(id: string, secret: string): boolean;
  /** Answers the API as a broken one would; undefined: it works. */
  broken(): "rate-limited" | "down" | undefined;
}

type Names = { Params: Record<string, string>; Querystring: { page?: string; per_page?: string } };
type Ask = FastifyRequest<Names>;

/** The REST API under `/api/v3`, where an Enterprise server has it. Its shapes are those of api.github.com. */
export function githubApi(app: FastifyInstance, url: () => string, parts: GithubApiParts): void {
  const DOCS = "https://docs.github.com/rest";
  const refuse = (reply: FastifyReply, status: number, message: string): FastifyReply =>
    reply.status(status).send({ message, documentation_url: DOCS, status: String(status) });
  const missing = (reply: FastifyReply): FastifyReply => refuse(reply, 404, "Not Found");
  const api = (path: string): string => `${url()}/api/v3${path}`;

  app.addHook("onRequest", async (request, reply) => {
    reply.header("X-GitHub-Request-Id", randomUUID().toUpperCase());
    reply.header("X-GitHub-Media-Type", "github.v3; format=json");
    if (!request.headers["user-agent"])
      return reply
        .status(403)
        .type("text/plain")
        .send(
          "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.",
        );
    if (parts.broken() === "down")
      return reply.status(502).type("text/html").send("<h1>502 Bad Gateway</h1>");
    const limited = parts.broken() === "rate-limited";
    reply.headers({
      "X-RateLimit-Limit": "5000",
      "X-RateLimit-Remaining": limited ? "0" : "4999",
      "X-RateLimit-Reset": String(Math.floor(Date.now() / 1000) + 3600),
    });
    if (limited) return refuse(reply, 403, "API rate limit exceeded for user ID 1815.");
  });

  /** A route only for who holds a token; `needs`: one of these scopes, named in the answer as GitHub does. */
  const get = (
    path: string,
    needs: readonly string[],
    answer: (token: GithubToken, request: Ask, reply: FastifyReply) => unknown,
  ): void => {
    app.get<Names>(`/api/v3${path}`, async (request, reply) => {
      const [, value] = /^(?:bearer|token) (\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
      if (value === undefined) return refuse(reply, 401, "Requires authentication");
      const token = parts.find(value);
      if (!token) return refuse(reply, 401, "Bad credentials");
      reply.headers({
        "X-OAuth-Scopes": token.scopes.join(", "),
        "X-Accepted-OAuth-Scopes": needs.join(", "),
      });
      return answer(token, request, reply);
    });
  };
  const may = (token: GithubToken, ...scopes: string[]): boolean =>
    scopes.some((scope) => token.scopes.includes(scope));
  const byLogin = (login = ""): GithubPerson | undefined =>
    Object.values(parts.people).find((person) => person.login.toLowerCase() === login.toLowerCase());
  const brief = (person: GithubPerson) => ({
    login: person.login,
    id: person.id,
    node_id: Buffer.from(`04:User${person.id}`).toString("base64"),
    avatar_url: `${url()}/avatars/u/${person.id}?v=4`,
    gravatar_id: "",
    url: api(`/users/${person.login}`),
    html_url: `${url()}/${person.login}`,
    type: "User",
    site_admin: false,
  });
  const organization = (login: string) => ({
    login,
    id: login.length * 1000,
    node_id: Buffer.from(`012:Organization${login}`).toString("base64"),
    url: api(`/orgs/${login}`),
    description: "",
  });
  const paged = <T>({ query, url: asked }: Ask, reply: FastifyReply, all: readonly T[]): T[] => {
    const size = Math.min(100, Math.max(1, Number(query.per_page ?? 30) || 30));
    const page = Math.max(1, Number(query.page ?? 1) || 1);
    const last = Math.max(1, Math.ceil(all.length / size));
    const link = (to: number, rel: string): string => {
      const target = new URL(asked, url());
      target.searchParams.set("page", String(to));
      return `<${target.href}>; rel="${rel}"`;
    };
    const links = [
      ...(page > 1 ? [link(page - 1, "prev"), link(1, "first")] : []),
      ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
    ];
    if (links.length > 0) reply.header("Link", links.join(", "));
    return all.slice((page - 1) * size, page * size);
  };
  const restricted = (reply: FastifyReply, login: string): FastifyReply =>
    refuse(
      reply,
      403,
      `Although you appear to have the correct authorization credentials, the \`${login}\` organization has enabled OAuth App access restrictions, meaning that data access to third-parties is limited.`,
    );

  get("/user", [], ({ person, scopes }) => ({
    ...brief(person),
    name: person.name,
    company: null,
    blog: "",
    location: null,
    email: person.emails.find(({ visibility, primary }) => primary && visibility === "public")?.email ?? null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: 3,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: "2015-12-10T12:00:00Z",
    updated_at: "2026-11-01T12:00:00Z",
    ...(scopes.includes("user") || scopes.includes("read:user")
      ? { two_factor_authentication: true, private_gists: 0 }
      : {}),
  }));

  get("/user/emails", ["user", "user:email"], (token, request, reply) =>
    may(token, "user", "user:email") ? paged(request, reply, token.person.emails) : missing(reply),
  );

  get("/user/orgs", ["read:org", "user"], (token, request, reply) =>
    may(token, "read:org", "admin:org", "user")
      ? paged(
          request,
          reply,
          Object.keys(token.person.organizations)
            .filter((login) => login !== CLOSED_ORGANIZATION)
            .map(organization),
        )
      : refuse(reply, 403, "You need at least read:org scope or user scope to list your organizations."),
  );

  get("/user/teams", ["read:org", "user", "repo"], (token, request, reply) => {
    if (!may(token, "read:org", "admin:org", "user", "repo")) return missing(reply);
    const teams = Object.entries(token.person.organizations).flatMap(([login, { teams: names }]) =>
      login === CLOSED_ORGANIZATION
        ? []
        : names.map((slug) => ({
            id: slug.length * 77,
            name: slug,
            slug,
            description: "",
            privacy: "closed",
            permission: "pull",
            parent: null,
            organization: organization(login),
          })),
    );
    return paged(request, reply, teams);
  });

  /** How the asker stands to an organisation: a member only as far as the token may see it. */
  const seesInside = (token: GithubToken, login: string): boolean =>
    login in token.person.organizations && may(token, "read:org", "admin:org", "repo");

  get("/user/memberships/orgs/:org", ["read:org"], (token, { params: { org = "" } }, reply) => {
    if (org === CLOSED_ORGANIZATION) return restricted(reply, org);
    if (!may(token, "read:org", "admin:org", "user"))
      return refuse(reply, 403, "You need at least read:org scope.");
    if (!(org in token.person.organizations)) return missing(reply);
    return {
      url: api(`/orgs/${org}/memberships/${token.person.login}`),
      state: "active",
      role: "member",
      organization_url: api(`/orgs/${org}`),
      user: brief(token.person),
      organization: organization(org),
    };
  });

  get("/orgs/:org/members/:login", [], (token, { params: { org = "", login = "" } }, reply) => {
    if (org === CLOSED_ORGANIZATION) return restricted(reply, org);
    if (!seesInside(token, org)) return reply.redirect(api(`/orgs/${org}/public_members/${login}`), 302);
    return org in (byLogin(login)?.organizations ?? {}) ? reply.status(204).send() : missing(reply);
  });

  get("/orgs/:org/public_members/:login", [], (_, { params: { org = "", login = "" } }, reply) =>
    byLogin(login)?.organizations[org]?.isPublic ? reply.status(204).send() : missing(reply),
  );

  const inTeam = (token: GithubToken, { org = "", team = "", login = "" }: Record<string, string>): boolean =>
    seesInside(token, org) && (byLogin(login)?.organizations[org]?.teams.includes(team) ?? false);
  get("/orgs/:org/teams/:team/members/:login", ["read:org"], (token, { params }, reply) =>
    inTeam(token, params) ? reply.status(204).send() : missing(reply),
  );
  get("/orgs/:org/teams/:team/memberships/:login", ["read:org"], (token, { params }, reply) => {
    if (params.org === CLOSED_ORGANIZATION) return restricted(reply, params.org);
    return inTeam(token, params)
      ? {
          url: api(`/orgs/${params.org}/teams/${params.team}/memberships/${params.login}`),
          role: "member",
          state: "active",
        }
      : missing(reply);
  });

  /** Routes of the application itself: HTTP Basic with its id and secret. */
  type Body = { Params: { client: string }; Body: { access_token?: string } | null };
  const isApplication = ({ headers, params }: FastifyRequest<Body>): boolean => {
    const [, given = ""] = /^basic (\S+)$/i.exec(headers.authorization ?? "") ?? [];
    const text = Buffer.from(given, "base64").toString("utf8");
    const [id, secret] = [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)];
    return id === params.client && parts.isClient(id, secret);
  };
  const ofToken = (
    path: string,
    method: "DELETE" | "POST",
    answer: (token: GithubToken, reply: FastifyReply) => unknown,
  ): void => {
    app.route<Body>({
      method,
      url: `/api/v3/applications/:client/${path}`,
      async handler(request, reply) {
        if (!isApplication(request)) return missing(reply);
        const token = parts.find(request.body?.access_token ?? "");
        if (!token) return method === "POST" ? missing(reply) : refuse(reply, 422, "Validation Failed");
        return answer(token, reply);
      },
    });
  };
  ofToken("token", "POST", (token) => ({
    id: token.person.id,
    token: token.value,
    scopes: token.scopes,
    user: brief(token.person),
  }));
  ofToken("token", "DELETE", (token, reply) => {
    parts.revoke(({ value }) => value === token.value);
    return reply.status(204).send();
  });
  ofToken("grant", "DELETE", (token, reply) => {
    parts.revoke(({ person }) => person === token.person);
    return reply.status(204).send();
  });
}
