import { randomBytes } from "node:crypto";
import { digest } from "@elara/runtime/id";

/** A server's API token, 32 hex characters, and how it stands on the bus and in the store. It is made, handed on, forgotten. */
export function newServerToken(): { readonly token: string; readonly tokenDigest: string } {
  const token = randomBytes(16).toString("hex");
  return { token, tokenDigest: digest(token) };
}
