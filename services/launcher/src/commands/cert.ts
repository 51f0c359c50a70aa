import { existsSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { HubError } from "@elara/contracts";
import { makeFolderOf } from "../make-folder.ts";
import { say } from "../say.ts";
import { selfSigned } from "../self-signed.ts";

export interface CertOptions {
  readonly selfSigned?: boolean;
  readonly host?: readonly string[];
  readonly out: string;
  readonly days: number;
}

/** `elara cert --self-signed`: writes certificate.pem and key.pem (0600). Never overwrites: throws CONFIG_EXISTS. */
export async function cert(options: CertOptions): Promise<void> {
  if (!options.selfSigned)
    throw new HubError("FIELD_INVALID", {
      operator:
        "elara cert: say --self-signed, the one kind it makes. A certificate that browsers trust comes from your authority, e.g. by certbot; name its files in network.tls.",
    });
  const folder = resolve(options.out);
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const taken = [certificate, key].find((file) => existsSync(file));
  if (taken)
    throw new HubError("CONFIG_EXISTS", {
      operator: `${taken} exists and is left as it is. Move it away, or give another folder with --out.`,
    });
  const hosts = options.host?.length
    ? options.host
    : [...new Set(["localhost", hostname(), "127.0.0.1", "::1"])];
  const pair = await selfSigned({ hosts, days: options.days, now: Date.now() });
  makeFolderOf("--out", folder);
  writeFileSync(key, pair.key, { flag: "wx", mode: 0o600 });
  writeFileSync(certificate, pair.certificate, { flag: "wx", mode: 0o644 });
  say(`Wrote ${certificate} and ${key}, for ${hosts.join(", ")}, valid for ${options.days} days.\n`);
  say("In elara.config.ts:");
  say(`  network: { tls: { certificate: ${JSON.stringify(certificate)}, key: ${JSON.stringify(key)} } }\n`);
  say(
    "Browsers warn of it until it is imported there; clients trust it by NODE_EXTRA_CA_CERTS, SSL_CERT_FILE or",
  );
  say(
    `curl --cacert ${certificate}. The key belongs to the account that runs the hub: chown it where that is another one.`,
  );
}
