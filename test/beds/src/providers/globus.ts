import { randomBytes, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { type Call, callOf } from "./call-log.ts";
import { type Asked, type GlobusFault, globusAnswers } from "./globus-answers.ts";
import { globusPages } from "./globus-pages.ts";
import { COLLECTION, type GlobusPeople, type GlobusPerson, globusPeople } from "./globus-people.ts";
import { type Files, globusServices } from "./globus-services.ts";
import { ALGORITHM, globusSettings } from "./globus-settings.ts";
import { AUTH, openStorage, serviceTokens } from "./globus-tokens.ts";
import { spoiler } from "./id-token.ts";

export type { GlobusFault } from "./globus-answers.ts";
export { ADMIN_GROUP, COLLECTION, DOMAIN, GROUP, IDENTITY_PROVIDER } from "./globus-people.ts";
export { type IdTokenFault, idTokenFaults } from "./id-token.ts";

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
  /** Every code and token that was given out, dead ones too: what must be found nowhere. */
  secrets(): readonly string[];
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

/** Starts a stand-in of Globus Auth with two of its services, groups and transfer, on loopback. */
export async function startGlobus(options: GlobusOptions = {}): Promise<Globus> {
  const people = globusPeople();
  const clientId = randomUUID();
  const clientSecret = randomBytes(33).toString("base64");
  const app = options.app ?? "Elara";
  const calls: Call[] = [];
  const files: Files = new Map([["/data/measurements.csv", measurements()]]);
  const tokens = serviceTokens();
  const asked: Asked = new Map();
  const given: string[] = [];
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

  const provider = new Provider(
    url,
    globusSettings({
      adapter: storage.adapter,
      jwk,
      personOf,
      isOffline: (code) => asked.get(code)?.isOffline ?? false,
    }),
  );
  provider.on("grant.revoked", (_, grantId) => tokens.revokeGrant(grantId));
  if (!options.callbackUrls) {
    provider.Client.prototype.redirectUriAllowed = (address: string) =>
      URL.canParse(address) && ["127.0.0.1", "localhost", "[::1]"].includes(new URL(address).hostname);
  }

  provider.use(
    globusAnswers({
      url,
      clientId,
      clientSecret,
      tokens,
      asked,
      idTokens,
      personOf,
      given,
      fault: () => fault,
    }),
  );

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
  globusPages(web, provider, { app, people, personOf, holdsDomain: options.holdsDomain ?? true });
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
    secrets: () => [clientSecret, ...given],
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

/** A table worth plotting: a decaying wave. */
const measurements = (): Buffer =>
  Buffer.from(
    `time_s,amplitude\n${Array.from({ length: 60 }, (_, step) => {
      const time = step / 4;
      return `${time},${(Math.exp(-time / 6) * Math.cos(2 * time)).toFixed(5)}`;
    }).join("\n")}\n`,
  );
