import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import type { Faults, JudgedFault, SharedFault } from "./fault-table.ts";
import { type ProviderClient, reasonOf } from "./provider-client.ts";
import { isSame } from "./same-text.ts";

/** Signatures by keys that only the provider has: neither `none` nor HMAC, whose secret is the client's own. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
/** It was made at this moment, in answer to our question. */
const MAX_AGE_SECONDS = 600;
const TOLERANCE_SECONDS = 60;
const KEYS_MS = 8_000;

export interface Claims extends JWTPayload {
  readonly sub: string;
}

/** Who says what an id_token is worth. */
export interface Judge {
  /** The claims, verified. Throws the plugin's ID_TOKEN_ codes; nothing of the token is in them. */
  claimsOf(token: unknown, nonce: string): Promise<Claims>;
}

export interface JudgeSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly jwksUrl: string;
}

type JudgeFault = JudgedFault | SharedFault;

/** Verifies id_tokens by the provider's published keys: kept for ten minutes, fetched once however many ask, anew for an unknown key. */
export function idTokenJudge(
  { issuer, clientId, jwksUrl }: JudgeSettings,
  client: Pick<ProviderClient, "fetch">,
  faults: Faults<JudgeFault>,
  now: () => number,
): Judge {
  const keys = createRemoteJWKSet(new URL(jwksUrl), {
    timeoutDuration: KEYS_MS,
    [customFetch]: client.fetch,
  });
  const verify = async (token: string): Promise<JWTPayload> => {
    const options: JWTVerifyOptions = {
      issuer,
      audience: clientId,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp", "iat", "sub", "nonce"],
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    };
    try {
      return (await jwtVerify(token, keys, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // A token that does not name its key, while the provider changes keys.
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (wrong) {
          if (!(wrong instanceof errors.JWSSignatureVerificationFailed)) throw wrong;
        }
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  };

  return {
    async claimsOf(token, nonce) {
      if (token === undefined || token === null || token === "") throw faults("ID_TOKEN_MISSING");
      if (typeof token !== "string") throw faults("ID_TOKEN_MALFORMED");
      const claims = await verify(token).catch((error: unknown) => {
        const fault = faultOf(error);
        if (fault) throw faults(fault);
        throw faults("UNREACHABLE", { detail: { address: jwksUrl, reason: fetchFault(error) } });
      });
      const { sub, nonce: told, aud, azp } = claims;
      if (typeof sub !== "string" || sub === "" || typeof told !== "string")
        throw faults("ID_TOKEN_MALFORMED");
      if (!isSame(told, nonce)) throw faults("ID_TOKEN_REPLAYED");
      // For several audiences, or when told, the party it was made for must be this hub.
      const isShared = Array.isArray(aud) && aud.length > 1;
      if ((isShared || azp !== undefined) && azp !== clientId) throw faults("ID_TOKEN_AUDIENCE");
      return { ...claims, sub };
    },
  };
}

/** undefined: the keys could not be fetched, which says nothing of the token. */
function faultOf(error: unknown): JudgedFault | undefined {
  if (error instanceof errors.JWTExpired) return "ID_TOKEN_EXPIRED";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "iss") return "ID_TOKEN_ISSUER";
    if (error.claim === "aud") return "ID_TOKEN_AUDIENCE";
    return error.reason === "check_failed" ? "ID_TOKEN_EXPIRED" : "ID_TOKEN_MALFORMED";
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "ID_TOKEN_UNSIGNED";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "ID_TOKEN_FORGED";
  if (error instanceof errors.JWKSNoMatchingKey) return "ID_TOKEN_FORGED";
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return "ID_TOKEN_MALFORMED";
  return error instanceof errors.JOSENotSupported ? "ID_TOKEN_MALFORMED" : undefined;
}

/** Of errors of the fetch: jose's own words for the answer, else the code of the connection. */
function fetchFault(error: unknown): string {
  if (error instanceof errors.JWKSTimeout) return "timeout";
  if (error instanceof errors.JOSEError) return "no key set in the answer";
  return reasonOf(error);
}
