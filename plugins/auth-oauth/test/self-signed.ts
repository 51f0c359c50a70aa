import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import { cryptoProvider, X509CertificateGenerator } from "@peculiar/x509";

/** A key and a certificate for loopback that only it itself vouches for, as PEM. */
export async function selfSigned(): Promise<{ key: string; cert: string }> {
  cryptoProvider.set(webcrypto as never);
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=provider",
    keys,
    signingAlgorithm: { ...algorithm, hash: "SHA-256" },
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" });
  return { key: String(key), cert: certificate.toString("pem") };
}
