import { generateKeyPairSync, randomBytes } from "node:crypto";
import { field } from "./field.ts";

const TYPE = "ssh-ed25519";

/**
 * A new ed25519 key in OpenSSH's formats. Written here, because ssh2's own writer cuts zeros off the front: one key in
 * some 430 is broken (7 of 3,000).
 */
export function throwAwayKey(): { readonly public: string; readonly private: string } {
  const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const [open, seed] = [Buffer.from(x, "base64url"), Buffer.from(d, "base64url")];
  const blob = Buffer.concat([field(TYPE), field(open)]);
  // Twice the same number, by which a reader sees that it was not encrypted.
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    ...[TYPE, open, Buffer.concat([seed, open]), ""].map((part) => field(part)),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, at) => at + 1));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...["none", "none", ""].map(field),
    Buffer.from([0, 0, 0, 1]),
    field(blob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString("base64").replaceAll(/.{70}/g, "$&\n").trim();
  return {
    public: `${TYPE} ${blob.toString("base64")}`,
    private: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
  };
}
