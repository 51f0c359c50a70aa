import { HubError } from "@elara/contracts";

const MIN_BYTES = 32;

/**
 * The keys in a text of JupyterHub's JUPYTERHUB_CRYPT_KEY: separated by `;`, each 32 bytes as hex, base64 or raw. Longer
 * ones, as hex or text, are taken too. Throws CONFIG_SECRET_MISSING; `path` is where the text stands.
 */
export function cryptKeysIn(text: string, path: string): Buffer[] {
  const parts = text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (parts.length === 0)
    throw new HubError("CONFIG_SECRET_MISSING", {
      operator: `${path}: is set and holds no key. Leave it out, or put a key there, made with \`openssl rand -hex 32\`.`,
    });
  return parts.map((part, index) => keyOf(part, index, path));
}

function keyOf(text: string, index: number, path: string): Buffer {
  if (/^([0-9a-f]{2})+$/i.test(text) && text.length >= 2 * MIN_BYTES) return Buffer.from(text, "hex");
  // 32 bytes as base64 are 43 characters and a padding; Python's Fernet writes `-` and `_`.
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return Buffer.from(text, "base64");
  const raw = Buffer.from(text);
  if (raw.length >= MIN_BYTES) return raw;
  throw new HubError("CONFIG_SECRET_MISSING", {
    operator: `${path}: key ${index + 1} has ${raw.length} bytes, 32 are needed, as hex, base64 or raw. Make one with \`openssl rand -hex 32\`; an older one that is still to decrypt stands behind it, after a \`;\`.`,
  });
}
