import { isAccount } from "@elara/sdk";
import { authority } from "./authority.ts";
import type { Credential } from "./certificate-login.ts";
import { keyFile, optionFile } from "./key-file.ts";
import type { SshOptions } from "./options.ts";
import { SshError } from "./ssh.ts";

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
    if (!isAccount(account))
      throw new SshError("credential", `${JSON.stringify(account)} cannot be the name of an account`);
    if (privateKey === "") return issue(account);
    const [key = "", signed] = [privateKey, certificate].map((file) =>
      file.replaceAll("{username}", account),
    );
    return {
      privateKey: await keyFile(key, "privateKey"),
      ...(signed && { certificate: (await optionFile(signed, "certificate")).text }),
    };
  };
}
