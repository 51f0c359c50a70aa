import { type CryptoKey, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** What is wrong with the id_token an exchange answers with; `replayed` gives that of an earlier log-in. */
export const idTokenFaults = [
  "forged",
  "alg-none",
  "wrong-issuer",
  "expired",
  "missing",
  "replayed",
  "wrong-audience",
  "two-audiences",
  "wrong-subject",
] as const;
export type IdTokenFault = (typeof idTokenFaults)[number];

export interface SigningKey {
  readonly key: CryptoKey;
  readonly kid: string;
  readonly alg: string;
}

const payloadOf = (token: string): JWTPayload =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));

/** Makes bad id_tokens of good ones, by the provider's own key where the fault is not the signature. */
export async function spoiler({ key, kid, alg }: SigningKey) {
  const stranger = await generateKeyPair(alg);
  let earlier: string | undefined;
  const signed = (payload: JWTPayload, by: CryptoKey = key): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg, kid, typ: "JWT" }).sign(by);
  return {
    /** Remembers a token that was given out, for `replayed`. */
    given(token: string): void {
      earlier = token;
    },
    /** The token with this fault; undefined for `missing`. */
    async spoil(fault: IdTokenFault, token: string): Promise<string | undefined> {
      const payload = payloadOf(token);
      const now = Math.floor(Date.now() / 1000);
      switch (fault) {
        case "missing":
          return undefined;
        case "forged":
          return signed(payload, stranger.privateKey);
        case "alg-none": {
          const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
          return `${part({ alg: "none", typ: "JWT" })}.${part(payload)}.`;
        }
        case "wrong-issuer":
          return signed({ ...payload, iss: "https://auth.elsewhere.example" });
        case "expired":
          return signed({ ...payload, iat: now - 7200, exp: now - 3600 });
        case "replayed":
          return earlier ?? signed({ ...payload, nonce: "of-another-log-in" });
        case "wrong-audience":
          return signed({ ...payload, aud: "another-client" });
        case "two-audiences":
          return signed({ ...payload, aud: ["another-client", String(payload.aud)], azp: "another-client" });
        case "wrong-subject":
          return signed({ ...payload, sub: "00000000-0000-4000-8000-000000000000" });
      }
    },
  };
}
