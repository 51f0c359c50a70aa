import type { FastifyInstance, LightMyRequestResponse } from "fastify";

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

/** A browser's part of HTTP: a cookie jar with paths, and the headers of a navigation. */
export class Browser {
  readonly jar: Cookie[] = [];
  readonly #app: FastifyInstance;
  readonly address: string;
  readonly base: string;
  agent = "Mozilla/5.0 (test)";

  constructor(app: FastifyInstance, address: string) {
    this.#app = app;
    this.address = address;
    this.base = app.hub.baseUrl;
  }

  get(url: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    return this.#send("GET", url, headers);
  }

  /** Sends a form. */
  post(url: string, fields: Record<string, string | string[]>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams();
    for (const [name, value] of Object.entries(fields))
      for (const each of [value].flat()) body.append(name, each);
    return this.#send(
      "POST",
      url,
      { "content-type": "application/x-www-form-urlencoded", ...headers },
      body.toString(),
    );
  }

  send(method: "POST" | "DELETE", url: string, json: unknown, headers: Record<string, string> = {}) {
    return this.#send(method, url, { "content-type": "application/json", ...headers }, JSON.stringify(json));
  }

  cookie(name: string): string | undefined {
    return this.jar.find((cookie) => cookie.name === name)?.value;
  }

  /** Opens the login form and sends it. */
  async login(
    username: string,
    password: string,
    { next, way = "book" }: { next?: string; way?: string } = {},
  ) {
    const url = `${this.base}hub/login${next === undefined ? "" : `?next=${encodeURIComponent(next)}`}`;
    const page = await this.get(url);
    if (page.statusCode !== 200) throw new Error(`login page: ${page.statusCode}`);
    return this.post(url, { _xsrf: this.cookie("_xsrf") ?? "", authenticator: way, username, password });
  }

  async #send(
    method: "GET" | "POST" | "DELETE",
    url: string,
    headers: Record<string, string>,
    payload?: string,
  ) {
    const path = url.split("?", 1)[0] ?? "";
    const cookies = this.jar.filter((cookie) => path.startsWith(cookie.path));
    const answer = await this.#app.inject({
      method,
      url,
      remoteAddress: this.address,
      headers: {
        host: "hub.test",
        "user-agent": this.agent,
        ...(cookies.length > 0
          ? { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") }
          : {}),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
    });
    for (const { name, value, path: at = "/", maxAge, expires } of answer.cookies) {
      const known = this.jar.findIndex((cookie) => cookie.name === name && cookie.path === at);
      if (known >= 0) this.jar.splice(known, 1);
      const isGone = maxAge === 0 || (expires !== undefined && expires.getTime() <= Date.now());
      if (!isGone) this.jar.push({ name, value, path: at });
    }
    return answer;
  }
}

/** (name, value) of every input of a page, as a browser would send them. */
export const inputsOf = (html: string): [string, string][] =>
  [...html.matchAll(/<input\b[^>]*>/g)].flatMap(([tag]) => {
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
    const name = attribute("name");
    return name === undefined ? [] : [[name, unescapeHtml(attribute("value") ?? "")]];
  });

const unescapeHtml = (text: string): string =>
  text
    .replaceAll("&#34;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
