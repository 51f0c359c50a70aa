import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Type } from "typebox";
import { Value } from "typebox/value";

/** A login by redirect on its way: what the hub must know when the browser comes back. */
export const LoginTicket = Type.Object({
  authenticator: Type.String(),
  next: Type.String(),
  state: Type.Record(Type.String(), Type.Unknown()),
  /** Milliseconds since the epoch. */
  expiresAt: Type.Number(),
});
export type LoginTicket = Type.Static<typeof LoginTicket>;

/** Seals tickets into cookies (AES-256-GCM): the browser keeps them but can neither read nor change them. */
export function ticketSeal(key: Buffer) {
  return {
    seal(ticket: LoginTicket): string {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", key, iv);
      const sealed = Buffer.concat([cipher.update(JSON.stringify(ticket), "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64url");
    },
    /** undefined for anything that was not sealed here, or is too old. */
    open(text: string, now: number): LoginTicket | undefined {
      try {
        const bytes = Buffer.from(text, "base64url");
        const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12), { authTagLength: 16 });
        decipher.setAuthTag(bytes.subarray(12, 28));
        const opened = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
        const ticket: unknown = JSON.parse(opened.toString("utf8"));
        return Value.Check(LoginTicket, ticket) && ticket.expiresAt > now ? ticket : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
