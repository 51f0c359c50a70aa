import { open, seal } from "@elara/runtime/aead";
import { Type } from "typebox";
import { Value } from "typebox/value";

/** A login by redirect on its way: what the hub must know when the browser comes back. */
const LoginTicket = Type.Object({
  authenticator: Type.String(),
  next: Type.String(),
  state: Type.Record(Type.String(), Type.Unknown()),
  /** Milliseconds since the epoch. */
  expiresAt: Type.Number(),
});
type LoginTicket = Type.Static<typeof LoginTicket>;

/** Seals tickets into cookies: the browser keeps them but can neither read nor change them, nor put one in another's place. */
export function ticketSeal(key: Buffer) {
  return {
    seal: (ticket: LoginTicket, cookieName: string): string => seal(key, JSON.stringify(ticket), cookieName),
    /** undefined for anything that was not sealed here for this cookie, or is too old. */
    open(text: string, cookieName: string, now: number): LoginTicket | undefined {
      try {
        const ticket: unknown = JSON.parse(open(key, text, cookieName));
        return Value.Check(LoginTicket, ticket) && ticket.expiresAt > now ? ticket : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
