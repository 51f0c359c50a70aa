import { stat } from "node:fs/promises";
import { SshError } from "./ssh.ts";

/**
 * Throws an SshError with the fix when a private key is not there, or other accounts can read it. The group may where the
 * file is another account's: so secrets are mounted.
 */
export async function checkKeyFile(file: string, option: string): Promise<void> {
  const { mode, uid } = await stat(file).catch((error: unknown) => {
    throw new SshError("credential", `\`${option}\`: ${file} cannot be read: ${error}`, { cause: error });
  });
  const others = uid === process.getuid?.() ? 0o077 : 0o007;
  if ((mode & others) === 0) return;
  throw new SshError(
    "credential",
    `\`${option}\`: other accounts can read or change the private key, so it is not used. Do: chmod ${others === 0o077 ? "go=" : "o="} ${file}`,
  );
}
