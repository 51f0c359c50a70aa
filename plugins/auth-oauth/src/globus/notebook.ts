import type { AuthState, Logger } from "@elara/sdk";
import { type Json, pickled } from "../pickle.ts";
import type { GlobusSettings } from "./settings.ts";
import { answerWithout } from "./tokens.ts";

/** Linux takes 128 KiB for one variable, name included; somebody may be in thousands of groups. */
const LONGEST = 120_000;

/**
 * What a notebook finds, under oauthenticator's names: GLOBUS_DATA is base64 of a Python pickle of the kept log-in. Tokens
 * of excluded resource servers are in no part of it. Where all of it is too long, it holds the tokens only.
 */
export function notebookVariables(
  authState: AuthState,
  { excludeTokens, localEndpoint }: Pick<GlobusSettings, "excludeTokens" | "localEndpoint">,
  log: Logger,
): Record<string, string> {
  const shown = {
    ...authState,
    token_response: answerWithout(Object(authState.token_response), excludeTokens),
  };
  // What was kept came out of JSON.
  const inBase64 = (value: unknown): string => pickled(value as Json).toString("base64");
  let data = inBase64(shown);
  if (data.length > LONGEST) {
    log.warn({ length: data.length }, "too much for a variable: GLOBUS_DATA holds client_id and tokens only");
    data = inBase64({ client_id: authState.client_id, tokens: authState.tokens });
  }
  return { GLOBUS_LOCAL_ENDPOINT: localEndpoint, GLOBUS_DATA: data };
}
