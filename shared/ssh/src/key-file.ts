import { plainFile } from "./plain-file.ts";
import { SshError } from "./ssh.ts";

const PRIVATE_KEY = /^\s*-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|^PuTTY-User-Key-File-/m;

/** Reads a file that an option names. Throws an SshError that names both. */
export async function optionFile(file: string, option: string) {
  return plainFile(file).catch((error: unknown) => {
    const words = error instanceof Error ? error.message : String(error);
    throw new SshError("credential", `\`${option}\`: ${file} ${words}`, { cause: error });
  });
}

/**
 * Reads a private key. Throws an SshError with the fix when it is none, or other accounts can read it. The group may where
 * the file is another account's: so secrets are mounted.
 */
export async function keyFile(file: string, option: string): Promise<string> {
  const { text, mode, uid } = await optionFile(file, option);
  // Before its mode is spoken of: what is no key may be everybody's to read.
  if (!PRIVATE_KEY.test(text))
    throw new SshError(
      "credential",
      `\`${option}\`: ${file} is no private key: it has no "BEGIN … PRIVATE KEY"`,
    );
  const others = uid === process.getuid?.() ? 0o077 : 0o007;
  if ((mode & others) === 0) return text;
  throw new SshError(
    "credential",
    `\`${option}\`: other accounts can read or change the private key, so it is not used. Do: chmod ${others === 0o077 ? "go=" : "o="} ${file}`,
  );
}
