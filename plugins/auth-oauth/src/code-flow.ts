import {
  type AuthenticatedUser,
  type AuthState,
  type BeginRequest,
  type FinishRequest,
  type Logger,
  type LoginStart,
  PluginError,
} from "@elara/sdk";
import { type Attempt, EngineError, type OAuthEngine, type TokenAnswer } from "./engine.ts";
import type { Faults, SharedFault } from "./fault-table.ts";

/** The redirect there and the code back, with the plugin's errors in place of the engine's. */
export interface CodeFlow {
  begin(request: BeginRequest): Promise<LoginStart>;
  /**
   * Exchanges the code, has the hub hold what came for it, and asks `person` who that is. What fails after the exchange, also as it was given up, is a
   * PluginError with the tokens as `authState`: the hub gives them back.
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
  kept,
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
  /** So much of an answer as `logout` needs to give its tokens back. */
  readonly kept: (answer: TokenAnswer) => AuthState;
  readonly log: Logger;
}): CodeFlow {
  const exchange = async ({ input, callbackUrl }: FinishRequest, attempt: Attempt): Promise<TokenAnswer> => {
    try {
      return await engine.exchange({ input, attempt, callbackUrl: configured || callbackUrl });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const { fault, told } = error;
      throw faults(fault, { detail: { address: tokenUrl, ...(told ? { told } : {}) } });
    }
  };
  const withTokens = (thrown: unknown, answer: TokenAnswer, isGivenUp: boolean): PluginError => {
    const fault = isGivenUp ? "UNREACHABLE" : "PROVIDER_ERROR";
    const error = thrown instanceof PluginError ? thrown : faults(fault, { cause: thrown });
    error.authState = kept(answer);
    return error;
  };

  return {
    async begin({ callbackUrl, otherAccount: isOther }) {
      const { url, attempt } = await engine.begin(configured || callbackUrl, isOther ? otherAccount : {});
      return { kind: "redirect", url, state: { ...attempt } };
    },

    async finish(request, person) {
      const { signal } = request;
      signal.throwIfAborted();
      const attempt = attemptIn(request.state);
      const { iss } = request.input;
      try {
        if (iss !== undefined && !isIssuer(iss)) throw faults("ISSUER_MISMATCH");
        // To its end, though the log-in be given up: the code is used up, and what comes for it must go back.
        const answer = await exchange(request, attempt);
        try {
          await request.hold?.(kept(answer));
          signal.throwIfAborted();
          return await person(answer, attempt);
        } catch (error) {
          throw withTokens(error, answer, signal.aborted);
        }
      } catch (error) {
        // What is the provider's fault the hub logs itself.
        if (error instanceof PluginError && error.status < 500)
          log[error.status === 403 ? "warn" : "info"](
            { code: error.code, operator: error.operator, detail: error.detail },
            "log-in refused",
          );
        throw error;
      }
    },
  };
}

function attemptIn({ state, nonce, verifier }: Readonly<Record<string, unknown>>): Attempt {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return { state: text(state), nonce: text(nonce), verifier: text(verifier) };
}
