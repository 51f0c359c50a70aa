import { createHash, timingSafeEqual } from "node:crypto";

export type ChallengeMethod = "" | "S256" | "plain";

const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/** The method of an authorization request (RFC 7636): `plain` when only a challenge is given; undefined: not supported. */
export function challengeMethod(
  challenge: string | undefined,
  method: string | undefined,
): ChallengeMethod | undefined {
  if (challenge === undefined || challenge === "") return "";
  if (!VERIFIER.test(challenge)) return undefined;
  if (method === undefined || method === "" || method === "plain") return "plain";
  return method === "S256" ? "S256" : undefined;
}

/** Whether the verifier is the one the challenge was made of. */
export function verifies(verifier: string, challenge: string, method: ChallengeMethod): boolean {
  if (!VERIFIER.test(verifier)) return false;
  const made = method === "S256" ? createHash("sha256").update(verifier).digest("base64url") : verifier;
  const [a, b] = [Buffer.from(made), Buffer.from(challenge)];
  return a.length === b.length && timingSafeEqual(a, b);
}
