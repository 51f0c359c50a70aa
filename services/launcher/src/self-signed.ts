import { isIP } from "node:net";
import { HubError } from "@elara/contracts";

/** As DNS bounds it: 63 for a label, 253 in all. */
const HOST =
  /^(?=.{1,253}$)(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const DAY_MS = 86_400_000;
/** Clocks of clients may be a little behind. */
const EARLIER_MS = 5 * 60_000;

/**
 * A certificate that signs itself, for these names and addresses, and its key (ECDSA P-256), both PEM. It can vouch for
 * nobody else: who trusts it trusts these hosts only. Throws FIELD_INVALID for what is no host.
 */
export async function selfSigned(given: {
  hosts: readonly string[];
  days: number;
  now: number;
}): Promise<{ certificate: string; key: string }> {
  const { hosts, days, now } = given;
  for (const host of hosts)
    if (!isIP(host) && !HOST.test(host))
      throw new HubError("FIELD_INVALID", {
        operator: `--host: "${host}" is no host name and no IP address. Give the name alone, without https:// and port; 63 characters between two dots, 253 in all.`,
      });
  // Heavy, and for this command only.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(globalThis.crypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [hosts[0] ?? "localhost"] }],
    notBefore: new Date(now - EARLIER_MS),
    notAfter: new Date(now + days * DAY_MS),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        hosts.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  };
}
