import { createRequire } from "node:module";
import ssh2, { type Client, type ParsedKey } from "ssh2";
import { field } from "./field.ts";
import { SshError } from "./ssh.ts";

/** What one log-in is made with, as the files have it. */
export interface Credential {
  readonly privateKey: string;
  readonly certificate?: string;
}

/**
 * ssh2 logs in with plain keys only: it names the algorithm of the certificate in the signature too, where OpenSSH wants
 * that of the key. So the one message in question is written here. Its parts of ssh2 are looked at before use, and
 * its version is pinned.
 */
interface Protocol {
  authPK(user: string, key: ParsedKey, algorithm: unknown, sign?: Sign): void;
  readonly _authsQueue: string[];
  readonly _packetRW: {
    readonly write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer };
  };
}
type Sign = (data: Buffer, done: (signature: Buffer) => void) => void;
interface Wire {
  sendPacket(protocol: Protocol, packet: Buffer): void;
  convertSignature(signature: Buffer, type: string): Buffer;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function isProtocol(value: unknown): value is Protocol {
  if (!isRecord(value) || typeof value.authPK !== "function" || !Array.isArray(value._authsQueue))
    return false;
  const writer = isRecord(value._packetRW) ? value._packetRW.write : undefined;
  return isRecord(writer) && typeof writer.alloc === "function" && typeof writer.allocStart === "number";
}
const isWire = (value: unknown): value is Wire =>
  isRecord(value) && typeof value.sendPacket === "function" && typeof value.convertSignature === "function";

const wire: unknown = createRequire(import.meta.url)("ssh2/lib/protocol/utils.js");

const USERAUTH_REQUEST = 50;

/** By type of the key: the name its certificate is offered under, and the hash of an RSA signature. */
function algorithmOf(type: string): { signature: string; hash?: string } {
  return type === "ssh-rsa" ? { signature: "rsa-sha2-512", hash: "sha512" } : { signature: type };
}

/** A key for `authHandler`. With a certificate it offers that in place of its public half. */
export function loginKey({ privateKey, certificate }: Credential): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error || !key.isPrivateKey())
    throw new SshError(
      "credential",
      `the private key cannot be used: ${key instanceof Error ? key.message : "it is public"}`,
    );
  if (certificate === undefined) return key;
  const [type = "", blob = ""] = certificate.trim().split(/\s+/);
  const { signature } = algorithmOf(key.type);
  if (type !== `${key.type}-cert-v01@openssh.com`)
    throw new SshError("credential", `the certificate is of type ${type || "none"}, its key is ${key.type}`);
  return Object.create(key, {
    type: { value: `${signature}-cert-v01@openssh.com` },
    getPublicSSH: { value: () => Buffer.from(blob, "base64") },
    keyType: { value: key.type },
  });
}

/** Makes a client that is connecting able to log in with a certificate. */
export function allowCertificate(client: Client, key: ParsedKey): void {
  const protocol: unknown = "_protocol" in client ? client._protocol : undefined;
  if (!isProtocol(protocol) || !isWire(wire))
    throw new SshError(
      "credential",
      "certificates cannot be used: this version of ssh2 is not the one expected",
    );
  const plainType = "keyType" in key ? String(key.keyType) : "";
  const { signature: signatureName, hash } = algorithmOf(plainType);
  const original = protocol.authPK;
  protocol.authPK = function authPK(user, offered, algorithm, sign) {
    // Without a signature it is the question whether the key would do; that one ssh2 writes right.
    if (offered !== key || !sign) return original.call(this, user, offered, algorithm, sign);
    const head = [
      Buffer.from([USERAUTH_REQUEST]),
      ...[user, "ssh-connection", "publickey"].map(field),
      Buffer.from([1]),
      field(key.type),
      field(key.getPublicSSH()),
    ];
    original.call(this, user, offered, algorithm, (signed) => {
      // What is to be signed is ssh2's: the session, then exactly the head above.
      const made = wire.convertSignature(key.sign(signed, hash), plainType);
      const blob = Buffer.concat([field(signatureName), field(made)]);
      const payload = Buffer.concat([...head, field(blob)]);
      const { write } = this._packetRW;
      const packet = write.alloc(payload.length);
      packet.set(payload, write.allocStart);
      this._authsQueue.push("publickey");
      wire.sendPacket(this, write.finalize(packet));
    });
  };
}
