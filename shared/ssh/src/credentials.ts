import { readFile } from "node:fs/promises";
import { authority } from "./authority.ts";
import type { SshOptions } from "./options.ts";
import { SshError } from "./ssh.ts";

/** What one log-in is made with, as the files have it. */
export interface Credential {
  readonly privateKey: string;
  readonly certificate?: string;
}

/** An account's name becomes part of paths and certificates: nothing that could lead elsewhere. */
const ACCOUNT = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,63}$/;

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new SshError("credential", `the ${what} ${file} cannot be read: ${error}`, { cause: error });
  }
}

/** How to get the credential of an account. Throws when the options name none. */
export function credentials(
  options: SshOptions,
  now: () => number,
): (account: string) => Promise<Credential> {
  const { privateKey, certificate, certificateAuthority } = options;
  if ((privateKey === "") === (certificateAuthority.key === ""))
    throw new Error("ssh: give either `privateKey` or `certificateAuthority.key`");
  if (certificate !== "" && privateKey === "")
    throw new Error("ssh: `certificate` belongs to a `privateKey`, which is missing");
  const issue = authority(certificateAuthority.key, certificateAuthority.validSeconds, now);
  return async (account) => {
    if (!ACCOUNT.test(account))
      throw new SshError("credential", `${JSON.stringify(account)} cannot be the name of an account`);
    if (privateKey === "") return issue(account);
    const [key, signed] = [privateKey, certificate].map((file) => file.replaceAll("{username}", account));
    return {
      privateKey: await read(key ?? "", "private key"),
      ...(signed && { certificate: await read(signed, "certificate") }),
    };
  };
}
