import { type ClientRequest, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import grant from "grant/lib/grant.js";
import grantRequest from "grant/lib/request.js";
import { type Attempt, EngineError, type EngineFault, type OAuthEngine, type TokenAnswer } from "./engine.ts";
import { MAX_ANSWER_BYTES, TOO_LONG } from "./provider-client.ts";
import { isSame } from "./same-text.ts";

/** The client at a provider, and where that is. */
export interface EngineSettings {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: readonly string[];
  /** Sent to the authorize address besides what every provider gets. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly isTlsVerified: boolean;
  /** How long an exchange may take. */
  readonly timeoutMs?: number;
}

/** Not a name of grant's own list, whose providers have quirks. */
const NAME = "provider";
const TIMEOUT_MS = 10_000;

/** Error codes of a callback; others are no fault of the provider, for whoever has the callback can write into it. */
const CALLBACK_FAULTS = new Map<string, EngineFault>([
  ["access_denied", "DENIED"],
  // Of Globus, where somebody did not log in as the session rules want.
  ["login_required", "DENIED"],
  ["interaction_required", "DENIED"],
  ["consent_required", "DENIED"],
  ["unauthorized_client", "CLIENT_REFUSED"],
  ["server_error", "PROVIDER_ERROR"],
  ["temporarily_unavailable", "PROVIDER_ERROR"],
]);

/** Error codes of a token answer that say more than "something is wrong". */
const ANSWER_FAULTS = new Map<string, EngineFault>([
  ["access_denied", "DENIED"],
  ["invalid_grant", "CODE_REFUSED"],
  ["bad_verification_code", "CODE_REFUSED"],
  ["invalid_client", "CLIENT_REFUSED"],
  ["unauthorized_client", "CLIENT_REFUSED"],
  ["incorrect_client_credentials", "CLIENT_REFUSED"],
]);

/** Node's words for a connection that failed; so much of them is told. */
const CONNECTION = /\bE[A-Z_]{4,24}\b|\btimeout\b|\bcertificates?\b|\bsocket hang up\b/;

/** A provider's error code if it looks like one: a page of HTML or an echoed secret does not. */
const codeIn = (error: unknown): string =>
  typeof error === "string" && /^[a-z][a-z0-9_.-]{1,48}$/.test(error) ? error : "";

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** grant's core function behind the engine's two questions; a new one for each, as callback address and clock differ. */
export function grantEngine(settings: EngineSettings): OAuthEngine {
  const { timeoutMs = TIMEOUT_MS } = settings;
  const config = (callbackUrl: string, parameters: Readonly<Record<string, string>> = {}) => ({
    [NAME]: {
      oauth: 2,
      authorize_url: settings.authorizeUrl,
      access_url: settings.tokenUrl,
      key: settings.clientId,
      secret: settings.clientSecret,
      scope: settings.scope,
      scope_delimiter: " ",
      custom_params: { ...settings.parameters, ...parameters },
      redirect_uri: callbackUrl,
      state: true,
      nonce: true,
      pkce: true,
    },
  });

  return {
    async begin(callbackUrl, parameters) {
      const { location = "", session } = await grant({ config: config(callbackUrl, parameters) })({
        method: "GET",
        params: { provider: NAME },
      });
      return {
        url: location,
        attempt: {
          state: textOf(session.state),
          nonce: textOf(session.nonce),
          verifier: textOf(session.code_verifier),
        },
      };
    },

    async exchange({ input, attempt, callbackUrl }) {
      assertCallback(input, attempt);
      const { promise: givenUp, reject } = Promise.withResolvers<never>();
      const agent = boundedAgent(settings, reject);
      const timer = setTimeout(() => reject(new EngineError("UNREACHABLE", "timeout")), timeoutMs);
      // Only grant's request: what it makes of an answer hides the tokens of one whose id_token it does not like, and
      // they could not be given back.
      const turn = grantRequest.defaults(grant({ config: config(callbackUrl) }).config)({
        method: "GET",
        params: { provider: NAME, override: "callback" },
        // Nothing else of the callback is grant's business: without a code it would take tokens from the query.
        query: { code: input.code ?? "", state: input.state ?? "" },
        session: { provider: NAME, state: attempt.state, code_verifier: attempt.verifier },
      });
      const request = {
        timeout: timeoutMs,
        agent,
        headers: { accept: "application/json", "accept-encoding": "identity" },
      };
      const exchanged = grantRequest.callback({ request })(turn)(turn);
      try {
        const { output } = await Promise.race([exchanged, givenUp]);
        return answerIn(output);
      } finally {
        clearTimeout(timer);
        agent.destroy();
      }
    },
  };
}

/** The callback as the provider sent it: its own errors, this attempt's state, a code. */
function assertCallback(input: Readonly<Record<string, string>>, attempt: Attempt): void {
  if (!attempt.state || !attempt.nonce || !attempt.verifier) throw new EngineError("STATE_INVALID");
  if (!isSame(input.state ?? "", attempt.state)) throw new EngineError("STATE_INVALID");
  if (input.error !== undefined) {
    const told = codeIn(input.error);
    throw new EngineError(CALLBACK_FAULTS.get(told) ?? "CALLBACK_ERROR", told);
  }
  if (!input.code) throw new EngineError("CODE_MISSING");
}

/** GitHub tells its errors with status 200, so any `error` counts before a token is looked at. */
function answerIn(output: unknown): TokenAnswer {
  const answer = Object(output);
  if (answer.error !== undefined) throw faultIn(answer.error);
  if (typeof answer.access_token !== "string" || answer.access_token === "")
    throw new EngineError("PROVIDER_ERROR");
  return answer;
}

/** grant's `error` is a word of the provider, the provider's whole answer, or Node's message. */
function faultIn(error: unknown): EngineError {
  const told = codeIn(Object(error).error ?? error);
  if (told) return new EngineError(ANSWER_FAULTS.get(told) ?? "PROVIDER_ERROR", told);
  const [why] = typeof error === "string" ? (CONNECTION.exec(error) ?? []) : [];
  return why ? new EngineError("UNREACHABLE", why) : new EngineError("PROVIDER_ERROR");
}

/**
 * Holds the connections of one exchange: grant takes no signal, but the agent's end ends them. grant collects and unpacks
 * whatever comes, so what would fill the memory is told to `giveUp`.
 */
function boundedAgent(
  { tokenUrl, isTlsVerified }: EngineSettings,
  giveUp: (error: EngineError) => void,
): HttpAgent {
  const proxy = process.env.NODE_USE_ENV_PROXY === "1" ? { proxyEnv: process.env } : {};
  const agent: HttpAgent & Partial<RequestAgent> = tokenUrl.startsWith("https:")
    ? new HttpsAgent({ rejectUnauthorized: isTlsVerified, ...proxy })
    : new HttpAgent(proxy);
  const add = agent.addRequest?.bind(agent);
  agent.addRequest = (request, ...where) => {
    request.once("socket", (socket) => {
      let bytes = 0;
      socket.on("data", (part: Buffer) => {
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) giveUp(new EngineError("UNREACHABLE", TOO_LONG));
      });
    });
    request.once("response", ({ headers }) => {
      if ((headers["content-encoding"] ?? "identity") === "identity") return;
      giveUp(new EngineError("PROVIDER_ERROR", "compressed answer"));
      // What is here already is not unpacked either.
      delete headers["content-encoding"];
    });
    add?.(request, ...where);
  };
  return agent;
}

/** What Node asks of every agent, though its types do not say so. */
interface RequestAgent {
  addRequest(request: ClientRequest, ...where: unknown[]): void;
}
