import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HubError } from "@elara/contracts";
import { readSecret } from "@elara/runtime/config/secret";
import { cryptKeysIn } from "@elara/runtime/crypt-keys";
import { makeDataDir } from "./data-dir.ts";

const MIN_BYTES = 32;
const names = { cookieSecret: "cookie_secret", cryptKey: "crypt_key" } as const;
type SecretName = keyof typeof names;

const fileOf = (dataDir: string, name: SecretName): string => join(dataDir, names[name]);

/** Whether each key is configured or lies in the data directory. */
export const hubSecretsExist = (dataDir: string, configured: Readonly<Record<SecretName, string>>): boolean =>
  (["cookieSecret", "cryptKey"] as const).every(
    (name) => configured[name] !== "" || existsSync(fileOf(dataDir, name)),
  );

/** Makes the keys that are not there yet, 0600 in the data directory. An existing file is never written. */
export function makeHubSecrets(dataDir: string, configured: Readonly<Record<string, string>>): void {
  for (const name of ["cookieSecret", "cryptKey"] as const) {
    const file = fileOf(dataDir, name);
    if (configured[name] || existsSync(file)) continue;
    makeDataDir(dataDir);
    try {
      writeFileSync(file, `${randomBytes(MIN_BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    } catch (error) {
      // Two processes may make it at the same moment; the first one's counts.
      if (!existsSync(file)) throw error;
    }
  }
}

/** The crypt key as configured; where it is not, JUPYTERHUB_CRYPT_KEY, as JupyterHub reads it; "" for the file. */
export const configuredCryptKey = (configured: string): string =>
  configured || (process.env.JUPYTERHUB_CRYPT_KEY ?? "");

/** The keys of `secrets.cryptKey`, the one that encrypts first. Throws CONFIG_SECRET_MISSING, CONFIG_SECRET_READABLE. */
export const readCryptKeys = (dataDir: string, configured: string): Buffer[] =>
  cryptKeysIn(
    textOf(dataDir, "cryptKey", configured),
    configured !== "" && configured === process.env.JUPYTERHUB_CRYPT_KEY
      ? "secrets.cryptKey (JUPYTERHUB_CRYPT_KEY)"
      : "secrets.cryptKey",
  );

/** The bytes of a key: configured, or of its file in the data directory. Throws CONFIG_SECRET_MISSING, CONFIG_SECRET_READABLE. */
export function readHubSecret(dataDir: string, name: SecretName, configured: string): Buffer {
  const text = textOf(dataDir, name, configured);
  const bytes = /^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, "hex") : Buffer.from(text);
  if (bytes.length < MIN_BYTES) {
    throw new HubError("CONFIG_SECRET_MISSING", {
      operator: `secrets.${name}: has ${bytes.length} bytes, at least ${MIN_BYTES} are needed. Make one with \`openssl rand -hex 32\`.`,
    });
  }
  return bytes;
}

function textOf(dataDir: string, name: SecretName, configured: string): string {
  const file = fileOf(dataDir, name);
  if (!configured && !existsSync(file)) {
    throw new HubError("CONFIG_SECRET_MISSING", {
      operator: `secrets.${name}: ${file} does not exist. All processes of a hub share this key: copy the file, or make both keys once with \`elara init --keys\`, or set secrets.${name} to { env } or { file }.`,
    });
  }
  return configured || readSecret({ file }, `secrets.${name}`);
}
