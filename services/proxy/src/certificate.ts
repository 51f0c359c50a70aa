import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { codeOf, HubError } from "@elara/contracts";

/** The two files of `network.tls`. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate that was looked at: key and chain fit, and it holds at this moment. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Whom it is for, as in the certificate. */
  readonly names: string;
  /** Milliseconds since 1970. */
  readonly validTo: number;
}

export const DAY_MS = 86_400_000;

const invalid = (operator: string, cause?: unknown): HubError =>
  new HubError("CONFIG_TLS_INVALID", { operator, cause });

/**
 * Reads certificate and key, and holds them against each other, the clock and the name users open the hub by.
 * Throws CONFIG_TLS_INVALID or CONFIG_SECRET_READABLE; both name field, file and what to do.
 */
export function readCertificate(
  files: CertificateFiles,
  given: { now: number; publicUrl: string },
): Certificate {
  const cert = textOf("certificate", files.certificate);
  const key = textOf("key", files.key);
  const leaf = leafOf(files.certificate, cert);
  const secret = keyOf(files.key, key);
  if ((statSync(files.key).mode & 0o007) !== 0)
    throw new HubError("CONFIG_SECRET_READABLE", {
      operator: `network.tls.key: ${files.key} can be read by everybody. Run: chmod 600 ${files.key} (640 with a group of its own). Make a new key if somebody may have read it.`,
    });
  if (!leaf.checkPrivateKey(secret))
    throw invalid(
      `network.tls.key: ${files.key} is not the key of ${files.certificate} (${namesOf(leaf)}). Give the pair that was made together; the server's own certificate stands first in its file, before the intermediate ones.`,
    );
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (given.now > to)
    throw invalid(
      `network.tls.certificate: ${files.certificate} expired on ${leaf.validTo}. Renew it; the hub takes up the new file by itself.`,
    );
  if (given.now < from)
    throw invalid(
      `network.tls.certificate: ${files.certificate} is valid from ${leaf.validFrom} on. Look at this machine's clock, or give the certificate of today.`,
    );
  if (leaf.subjectAltName === undefined)
    throw invalid(
      `network.tls.certificate: ${files.certificate} (${namesOf(leaf)}) has no subjectAltName: browsers refuse it, whatever its CN says. Have it made anew with its names there.`,
    );
  refuseOtherHost(files.certificate, leaf, given.publicUrl);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw invalid(
      `network.tls: ${files.certificate} and ${files.key} are refused: ${wordsOf(cause)}.`,
      cause,
    );
  }
  return { cert, key, names: namesOf(leaf), validTo: to };
}

function textOf(field: "certificate" | "key", file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const why = codeOf(cause) === "ENOENT" ? "is not there" : `cannot be read (${codeOf(cause)})`;
    throw invalid(
      `network.tls.${field}: ${file} ${why}. Give a PEM file that the account of the hub may read; \`elara cert --self-signed\` makes a pair to try.`,
      cause,
    );
  }
}

function leafOf(file: string, cert: Buffer): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch (cause) {
    throw invalid(
      `network.tls.certificate: ${file} is no PEM certificate (it begins with -----BEGIN CERTIFICATE-----): ${wordsOf(cause)}.`,
      cause,
    );
  }
}

function keyOf(file: string, key: Buffer): KeyObject {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    const isEncrypted = /ENCRYPTED/.test(key.toString("latin1"));
    throw invalid(
      isEncrypted
        ? `network.tls.key: ${file} is encrypted. Write it without a passphrase, mode 600: openssl pkey -in ${file} -out NEW.`
        : `network.tls.key: ${file} is no PEM private key (it begins with -----BEGIN PRIVATE KEY-----): ${wordsOf(cause)}.`,
      cause,
    );
  }
}

/** A browser would refuse a certificate of another name. */
function refuseOtherHost(file: string, leaf: X509Certificate, publicUrl: string): void {
  if (publicUrl === "") return;
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, "");
  const fits = isIP(host) ? leaf.checkIP(host) : leaf.checkHost(host);
  if (!fits)
    throw invalid(
      `network.tls.certificate: ${file} is for ${namesOf(leaf)}, not for ${host} of hub.publicUrl. Give the certificate of that name, or correct hub.publicUrl.`,
    );
}

const namesOf = (leaf: X509Certificate): string =>
  leaf.subjectAltName?.replaceAll(/(DNS|IP Address):/g, "") ?? leaf.subject.replaceAll("\n", ", ");

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
