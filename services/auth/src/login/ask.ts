import { HubError } from "@elara/contracts";
import {
  type AuthenticatedUser,
  type AuthState,
  type FinishRequest,
  MAX_AUTH_STATE_BYTES,
  PluginError,
  Type,
} from "@elara/sdk";
import { Value } from "typebox/value";
import { untilAborted } from "../until-aborted.ts";
import type { LoginWay } from "./ways.ts";

const State = Type.Record(Type.String(), Type.Unknown());
const Answer = Type.Object({
  issuer: Type.String({ minLength: 1, maxLength: 2048 }),
  subject: Type.String({ minLength: 1, maxLength: 2048 }),
  name: Type.String({ minLength: 1, maxLength: 1024 }),
  admin: Type.Optional(Type.Boolean()),
  allowed: Type.Optional(Type.Boolean()),
  authState: Type.Optional(State),
});

interface Asking {
  readonly concurrent: number;
  readonly seconds: number;
  /**
   * The log-in of this id came to nothing, and its provider had given something for it: refused, no answer the hub takes,
   * or after nobody waited any more.
   */
  given(way: LoginWay, id: string, authState: AuthState, name: string): void;
}

/**
 * Asks an authenticator, with a deadline and at most `concurrent` at a time; a call that does not end at its deadline
 * keeps its place until it does. Errors of plugins with a code pass through; anything else it throws is LOGIN_UNAVAILABLE,
 * with the cause in the log. An answer that is no user, or too much to keep, is LOGIN_ANSWER_INVALID.
 */
export function asker({ concurrent, seconds, given }: Asking) {
  let asking = 0;
  return async (
    way: LoginWay,
    id: string,
    request: Omit<FinishRequest, "signal">,
  ): Promise<AuthenticatedUser | undefined> => {
    if (asking >= concurrent) throw new HubError("LOGIN_BUSY");
    asking += 1;
    const signal = AbortSignal.timeout(seconds * 1000);
    const call = Promise.resolve().then(() => way.authenticator.finish({ ...request, signal }));
    const giveUp = (answer: unknown) => {
      const { name, authState } = Object(answer);
      if (Value.Check(State, authState)) given(way, id, authState, String(name));
    };
    let isHeard = true;
    call.then(
      (answer) => {
        asking -= 1;
        if (!isHeard) giveUp(answer);
      },
      (error: unknown) => {
        asking -= 1;
        if (error instanceof PluginError && error.authState) given(way, id, error.authState, error.who);
      },
    );
    try {
      const answer = await untilAborted(signal, () => call);
      if (answer === undefined) return undefined;
      const fault = faultOf(answer);
      if (fault === undefined) return answer;
      giveUp(answer);
      throw new HubError("LOGIN_ANSWER_INVALID", {
        operator: `The answer of authenticator \`${way.name}\` is none that the hub takes: ${fault}. Mend the authenticator, or what its provider says of this person.`,
        detail: { authenticator: way.name },
      });
    } catch (cause) {
      isHeard = false;
      if (cause instanceof HubError) throw cause;
      throw new HubError("LOGIN_UNAVAILABLE", { cause, detail: { authenticator: way.name } });
    }
  };
}

/** Names the field, and shows nothing of its value. */
function faultOf(answer: AuthenticatedUser): string | undefined {
  const [fault] = Value.Errors(Answer, answer);
  if (fault) return `${fault.instancePath ? `\`${fault.instancePath.slice(1)}\`` : "it"} ${fault.message}`;
  return Buffer.byteLength(JSON.stringify(answer.authState ?? {})) > MAX_AUTH_STATE_BYTES
    ? `\`authState\` must not have more than ${MAX_AUTH_STATE_BYTES} bytes`
    : undefined;
}
