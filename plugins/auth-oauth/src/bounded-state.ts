import { type AuthState, type Logger, MAX_AUTH_STATE_BYTES } from "@elara/sdk";

/**
 * What the hub takes of it: `dispensable` fields are left out, the first ones first, where all of it is too much. Somebody
 * may be in thousands of groups, and shall get in all the same.
 */
export function boundedState(whole: AuthState, dispensable: readonly string[], log: Logger): AuthState {
  const left: string[] = [];
  const kept = () => Object.fromEntries(Object.entries(whole).filter(([field]) => !left.includes(field)));
  const bytes = () => Buffer.byteLength(JSON.stringify(kept()));
  for (const field of dispensable.filter((each) => each in whole)) {
    if (bytes() <= MAX_AUTH_STATE_BYTES) break;
    left.push(field);
  }
  if (left.length > 0) log.warn({ left }, "too much to be kept of a login: some of auth_state was left out");
  return kept();
}
