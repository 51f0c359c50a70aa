import { type Answer, answered, basic, type ProviderClient } from "../provider-client.ts";
import { faults } from "./errors.ts";
import type { GithubSettings } from "./settings.ts";

/** GitHub's API as one person, with their token. */
export interface GithubApi {
  /** The person themselves. Throws GITHUB_PROVIDER_ERROR. */
  user(): Promise<{ id: string; login: string; profile: Readonly<Record<string, unknown>> }>;
  /** What `path` answers. `hindrance`: the organisation lets this app, or a log-in without its single sign-on, see nothing. */
  asks(path: string): Promise<{ status: number; body: unknown; hindrance?: "app" | "sign-on" }>;
  /** The person's teams, so much of each as tells which it is. Throws GITHUB_PROVIDER_ERROR. */
  teams(): Promise<unknown[]>;
}

const MOST_PAGES = 20;

export function githubApi(
  client: ProviderClient,
  { api }: Pick<GithubSettings, "api">,
  token: string,
  signal: AbortSignal,
): GithubApi {
  const ask = async (url: string): Promise<Answer> => {
    const answer = await answered(faults, () =>
      client.ask(url, { headers: { ...GITHUB_HEADERS, authorization: `Bearer ${token}` }, signal }),
    );
    if (answer.status === 429 || (answer.status === 403 && isLimit(answer)))
      throw faults("RATE_LIMITED", { detail: { address: url, status: answer.status } });
    if (answer.status >= 500 || answer.status === 401) throw unusable(url, answer);
    return answer;
  };

  return {
    async user() {
      const url = `${api}/user`;
      const answer = await ask(url);
      const { id, login }: { id?: unknown; login?: unknown } = Object(answer.body);
      if (answer.status !== 200 || !isId(id) || typeof login !== "string" || login === "")
        throw unusable(url, answer);
      return { id: String(id), login, profile: { ...Object(answer.body) } };
    },

    async asks(path) {
      const { status, body, headers } = await ask(`${api}${path}`);
      if (status !== 403) return { status, body };
      return { status, body, hindrance: headers.has("x-github-sso") ? "sign-on" : "app" };
    },

    async teams() {
      const teams: unknown[] = [];
      let url: string | undefined = `${api}/user/teams?per_page=100`;
      for (let page = 0; url !== undefined && page < MOST_PAGES; page += 1) {
        const answer = await ask(url);
        if (answer.status !== 200 || !Array.isArray(answer.body)) throw unusable(url, answer);
        teams.push(...answer.body.map(shortTeam));
        url = nextPage(answer.headers.get("link"), api);
      }
      return teams;
    },
  };
}

const GITHUB_HEADERS = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" };

/** The hub itself at GitHub. */
export interface GithubApplication {
  /** Gives a token back; one that is not known any more counts as given back. Throws GITHUB_ codes. */
  revoke(token: string, signal: AbortSignal): Promise<void>;
  /** Throws GITHUB_CLIENT_REFUSED when GitHub does not know the client or its secret. */
  assertKnown(signal: AbortSignal): Promise<void>;
}

export function githubApplication(
  client: ProviderClient,
  { tokenUrl, api, clientId, clientSecret }: GithubSettings,
): GithubApplication {
  const authorization = basic(clientId, clientSecret);
  const address = `${api}/applications/${encodeURIComponent(clientId)}/token`;

  const assertKnown = async (signal: AbortSignal): Promise<void> => {
    // A code that never was: the answer tells whether the id and secret beside it are right.
    const form = { client_id: clientId, client_secret: clientSecret, code: "elara-check" };
    const answer = await answered(faults, () => client.ask(tokenUrl, { method: "POST", form, signal }));
    const { error }: { error?: unknown } = Object(answer.body);
    if (answer.status === 404 || answer.status === 401 || error === "incorrect_client_credentials")
      throw faults("CLIENT_REFUSED", { detail: { address: tokenUrl, status: answer.status } });
    if (answer.status >= 300 || error === undefined) throw unusable(tokenUrl, answer);
  };

  return {
    assertKnown,
    async revoke(token, signal) {
      const answer = await answered(faults, () =>
        client.ask(address, {
          method: "DELETE",
          headers: { ...GITHUB_HEADERS, authorization },
          json: { access_token: token },
          signal,
        }),
      );
      if (answer.status === 401) throw faults("CLIENT_REFUSED", { detail: { address } });
      if (answer.status < 300 || answer.status === 422) return;
      if (answer.status !== 404) throw unusable(address, answer);
      // "Not found" is said of the token, and of a client with a wrong secret.
      await assertKnown(signal);
    },
  };
}

/** So much of a team as tells which it is; all of it would be a page. */
const shortTeam = (team: unknown): unknown => {
  const { id, slug, name, organization } = Object(team);
  return { id, slug, name, organization: { login: Object(organization).login } };
};

const isId = (id: unknown): boolean => typeof id === "number" && Number.isSafeInteger(id) && id > 0;

const isLimit = ({ headers }: Answer): boolean =>
  headers.get("x-ratelimit-remaining") === "0" || headers.has("retry-after");

const unusable = (url: string, { status }: Answer) =>
  faults("PROVIDER_ERROR", { detail: { address: url.split("?")[0], status } });

/** `rel="next"` of a Link header; the token goes nowhere but to the API. */
function nextPage(link: string | null, api: string): string | undefined {
  const [, url] = /<([^>]+)>;\s*rel="next"/.exec(link ?? "") ?? [];
  return url?.startsWith(`${api}/`) ? url : undefined;
}
