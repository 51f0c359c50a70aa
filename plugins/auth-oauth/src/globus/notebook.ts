import type { AuthState } from "@elara/sdk";
import { type Json, pickled } from "../pickle.ts";
import type { GlobusSettings } from "./settings.ts";
import { answerWithout } from "./tokens.ts";

/**
 * What a notebook finds, under oauthenticator's names: GLOBUS_DATA is base64 of a Python pickle of the kept log-in. Tokens
 * of excluded resource servers are in no part of it.
 */
export function notebookVariables(
  authState: AuthState,
  { excludeTokens, localEndpoint }: GlobusSettings,
): Record<string, string> {
  const shown = {
    ...authState,
    token_response: answerWithout(Object(authState.token_response), excludeTokens),
  };
  return {
    GLOBUS_LOCAL_ENDPOINT: localEndpoint,
    // What was kept came out of JSON.
    GLOBUS_DATA: pickled(shown as unknown as Json).toString("base64"),
  };
}
