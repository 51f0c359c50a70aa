import { HubError } from "@elara/contracts";
import { type AuthenticatedUser, type FinishRequest, Type } from "@elara/sdk";
import { Value } from "typebox/value";
import type { Door } from "./authenticators.ts";

const Answer = Type.Object({
  issuer: Type.String({ minLength: 1, maxLength: 2048 }),
  subject: Type.String({ minLength: 1, maxLength: 2048 }),
  name: Type.String({ minLength: 1, maxLength: 1024 }),
  admin: Type.Optional(Type.Boolean()),
});

/**
 * Asks an authenticator, with a deadline and at most `concurrent` at a time; a call that does not end at its deadline
 * keeps its place until it does. Errors of plugins with a code pass through;
 * anything else it throws is LOGIN_UNAVAILABLE, with the cause in the log.
 */
export function asker({ concurrent, seconds }: { concurrent: number; seconds: number }) {
  let asking = 0;
  return async (
    door: Door,
    request: Omit<FinishRequest, "signal">,
  ): Promise<AuthenticatedUser | undefined> => {
    if (asking >= concurrent) throw new HubError("LOGIN_BUSY");
    asking += 1;
    const signal = AbortSignal.timeout(seconds * 1000);
    const call = Promise.resolve().then(() => door.authenticator.finish({ ...request, signal }));
    const free = (): void => {
      asking -= 1;
    };
    call.then(free, free);
    try {
      const answer = await Promise.race([call, abortOf(signal)]);
      if (answer === undefined || Value.Check(Answer, answer)) return answer;
      throw new TypeError("the authenticator's answer is no user");
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      throw new HubError("LOGIN_UNAVAILABLE", { cause, detail: { authenticator: door.name } });
    }
  };
}

/** Rejects when the signal aborts: a plugin may not listen to it. */
const abortOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
