import {
  type AuthenticatedUser,
  type BeginRequest,
  type FinishRequest,
  isLoopback,
  type Logger,
  type LoginStart,
  PluginError,
  type PluginHost,
} from "@elara/sdk";
import { type Attempt, EngineError, type OAuthEngine, type TokenAnswer } from "./engine.ts";
import type { Faults, SharedFault } from "./fault-table.ts";
import { NoAnswer } from "./provider-client.ts";
import { callbackFor } from "./settings.ts";

const GIVE_BACK_MS = 10_000;

/** The redirect there and the code back, with the plugin's errors in place of the engine's. */
export interface CodeFlow {
  begin(request: BeginRequest): Promise<LoginStart>;
  /**
   * Exchanges the code and asks `person` who that is. Of a log-in that fails or is given up after the exchange nothing
   * stays: nobody would keep its tokens, so nobody would give them back.
   */
  finish(
    request: FinishRequest,
    person: (answer: TokenAnswer, attempt: Attempt) => Promise<AuthenticatedUser>,
  ): Promise<AuthenticatedUser>;
}

export function codeFlow({
  engine,
  callbackUrl: configured,
  tokenUrl,
  otherAccount,
  faults,
  isIssuer,
  refused,
  giveBack,
  log,
}: {
  readonly engine: OAuthEngine;
  /** "" where none is configured. */
  readonly callbackUrl: string;
  readonly tokenUrl: string;
  /** What the provider is sent to ask who somebody is, even where it thinks that it knows. */
  readonly otherAccount: Readonly<Record<string, string>>;
  readonly faults: Faults<SharedFault>;
  /** Whether this is the provider, when a callback names one (RFC 9207): another's answer may not end here. */
  readonly isIssuer: (iss: string) => boolean;
  /** The plugin's error for a fault of the engine. */
  readonly refused: (error: EngineError, detail: object) => PluginError;
  /** Gives the tokens of an answer back. */
  readonly giveBack: (answer: TokenAnswer, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}): CodeFlow {
  const exchange = async ({ input, callbackUrl }: FinishRequest, attempt: Attempt): Promise<TokenAnswer> => {
    const sent = callbackFor(configured, callbackUrl, faults);
    try {
      return await engine.exchange({ input, attempt, callbackUrl: sent });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw refused(error, { address: tokenUrl, ...(error.told ? { told: error.told } : {}) });
    }
  };

  return {
    async begin({ callbackUrl, otherAccount: isOther }) {
      const { url, attempt } = await engine.begin(
        callbackFor(configured, callbackUrl, faults),
        isOther ? otherAccount : {},
      );
      return { kind: "redirect", url, state: { ...attempt } };
    },

    async finish(request, person) {
      const { signal } = request;
      signal.throwIfAborted();
      const attempt = attemptIn(request.state);
      const { iss } = request.input;
      const work = async (): Promise<AuthenticatedUser> => {
        if (iss !== undefined && !isIssuer(iss)) throw faults("ISSUER_MISMATCH");
        const answer = await exchange(request, attempt);
        try {
          signal.throwIfAborted();
          const user = await person(answer, attempt);
          signal.throwIfAborted();
          return user;
        } catch (error) {
          await giveBack(answer, AbortSignal.timeout(GIVE_BACK_MS)).catch(() => undefined);
          throw error;
        }
      };
      const { promise: givenUp, reject } = Promise.withResolvers<never>();
      const giveUp = (): void => reject(signal.reason);
      signal.addEventListener("abort", giveUp, { once: true });
      try {
        return await Promise.race([work(), givenUp]);
      } catch (error) {
        // What is the provider's fault the hub logs itself.
        if (error instanceof PluginError && error.status < 500)
          log[error.status === 403 ? "warn" : "info"](
            { code: error.code, operator: error.operator, detail: error.detail },
            "log-in refused",
          );
        throw error;
      } finally {
        signal.removeEventListener("abort", giveUp);
      }
    },
  };
}

function attemptIn({ state, nonce, verifier }: Readonly<Record<string, unknown>>): Attempt {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return { state: text(state), nonce: text(nonce), verifier: text(verifier) };
}

/** Runs questions to a provider; what stays unanswered becomes the plugin's UNREACHABLE. */
export async function answered<T>(faults: Faults<SharedFault>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw faults("UNREACHABLE", { detail: { address: error.address, reason: error.reason } });
  }
}

/** Says once at the start what is open to whoever is on the way. */
export function warnOfOpenWays(host: PluginHost, isTlsVerified: boolean, addresses: readonly string[]): void {
  if (!isTlsVerified)
    host.log.warn(
      { variable: "OAUTH_TLS_VERIFY" },
      "certificates of the provider are NOT verified: anybody on the way can log in as anybody; for tests only",
    );
  const open = addresses.filter((address) => {
    const { protocol, hostname } = new URL(address);
    return protocol === "http:" && !isLoopback(hostname);
  });
  if (open.length > 0)
    host.log.warn(
      { addresses: open },
      "the provider is spoken to without TLS: secret and tokens go in the clear; for tests only",
    );
}
