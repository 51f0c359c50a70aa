import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Credential } from "./certificate-login.ts";
import { keyFile } from "./key-file.ts";
import { SshError } from "./ssh.ts";
import { throwAwayKey } from "./throw-away-key.ts";

const run = promisify(execFile);

/** Clocks differ: a certificate is good from a little before it was made. */
const EARLIER_SECONDS = 60;

async function sign(authority: string, account: string, publicKey: string, seconds: number): Promise<string> {
  await keyFile(authority, "certificateAuthority.key");
  const folder = await mkdtemp(join(tmpdir(), "elara-sign-"));
  try {
    const file = join(folder, "key.pub");
    await writeFile(file, `${publicKey}\n`, { mode: 0o600 });
    const validity = `-${EARLIER_SECONDS}s:+${seconds}s`;
    // Nothing but commands and forwards: no terminal, no agent, no X11.
    const rights = ["-O", "clear", "-O", "permit-port-forwarding"];
    const serial = String(Date.now());
    const who = ["-I", `elara:${account}`, "-n", account, "-z", serial];
    await run("ssh-keygen", ["-q", "-s", authority, ...who, "-V", validity, ...rights, file], {
      timeout: 10_000,
    });
    return await readFile(join(folder, "key-cert.pub"), "utf8");
  } catch (error) {
    const said =
      error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error).trim();
    throw new SshError("credential", `no certificate could be signed with ${authority}: ${said}`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Throw-away keys with a certificate for one account each, kept in memory only; another one at half of its life.
 * The key of the authority is only looked at here; ssh-keygen signs with its file.
 */
export function authority(
  key: string,
  validSeconds: number,
  now: () => number,
  issued = new Map<string, { until: number; credential: Promise<Credential> }>(),
) {
  return (account: string): Promise<Credential> => {
    const kept = issued.get(account);
    if (kept && now() < kept.until) return kept.credential;
    for (const [name, { until }] of issued) if (until <= now()) issued.delete(name);
    const pair = throwAwayKey();
    const credential = sign(key, account, pair.public, validSeconds).then((certificate) => ({
      privateKey: pair.private,
      certificate,
    }));
    issued.set(account, { until: now() + validSeconds * 500, credential });
    credential.catch(() => issued.delete(account));
    return credential;
  };
}
