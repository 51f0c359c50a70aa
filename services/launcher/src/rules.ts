import { accessSync, constants } from "node:fs";
import { userInfo } from "node:os";
import { HubError } from "@elara/contracts";
import { refusePublicAddress } from "@elara/proxy";
import { isLocal } from "./plugin-entries.ts";
import type { Settings } from "./settings.ts";

// What a well-formed configuration can still get wrong. `elara check` tells each; `elara run` refuses to start on them.

const invalid = (operator: string): HubError => new HubError("CONFIG_INVALID", { operator });

/** Who gets in, in words. Throws CONFIG_INVALID when nobody does. */
export function allowRule({ authenticators, sections }: Settings): string {
  const auth: { allowAll?: boolean; allowedUsers?: string[]; adminUsers?: string[] } = sections.auth ?? {};
  if (authenticators.length === 0)
    throw invalid('authenticators: is empty, so nobody can log in. Name one, e.g. ["pam"].');
  const named = (auth.allowedUsers?.length ?? 0) + (auth.adminUsers?.length ?? 0);
  if (!auth.allowAll && named === 0) {
    throw invalid(
      "auth.allowedUsers: is empty and auth.allowAll is not set, so nobody gets in. List names, or set allowAll: true to let in everybody the authenticator knows.",
    );
  }
  return auth.allowAll
    ? "everybody the authenticator knows"
    : `${named} named ${named === 1 ? "user" : "users"}`;
}

/** As whom servers of this machine run, in words. Throws CONFIG_INVALID when everybody would be root without being asked. */
export function serverAccount({ spawners, hub, sections }: Settings): string {
  const local = spawners.filter(isLocal);
  if (local.length === 0) return "where the spawners say";
  if (local.every(({ options }) => options.systemAccounts === true)) return "the account of each user's name";
  const written: { options?: { systemAccounts?: unknown } }[] = Array.isArray(sections.spawners)
    ? sections.spawners
    : [];
  const isSaid = written.some(({ options }) => options?.systemAccounts === false);
  if (process.getuid?.() !== 0 || hub.trial || isSaid) return `${userInfo().username}, for everybody`;
  throw invalid(
    "spawners: the hub is root, so every user's server would be root. Run the hub as another account, or set the local spawner's option systemAccounts: true (false, written out, where everybody may be root: a container of its own).",
  );
}

/** Refuses a public address without TLS. Throws CONFIG_ADDRESS_PUBLIC. */
export function publicAddress({ hub, sections }: Settings): void {
  const proxy: { certificate?: unknown } = sections.proxy ?? {};
  refusePublicAddress(hub.network, Boolean(proxy.certificate));
}

/** Throws CONFIG_INVALID when both listeners want one port. */
export function distinctPorts({ hub: { network } }: Settings): void {
  if (network.port === network.internalPort && network.host === network.internalHost)
    throw invalid(`network.internalPort: is ${network.internalPort}, as network.port is; give each its own.`);
}

/** Throws CONFIG_INVALID when only one half of a certificate is given, or a file cannot be read. */
export function certificate({ sections }: Settings): string {
  const proxy: { certificate?: string; certificateKey?: string } = sections.proxy ?? {};
  const files = { certificate: proxy.certificate ?? "", certificateKey: proxy.certificateKey ?? "" };
  if (!files.certificate && !files.certificateKey) return "none: no TLS here";
  for (const [key, file] of Object.entries(files)) {
    if (!file) throw invalid(`proxy.${key}: is missing; certificate and certificateKey belong together.`);
    try {
      accessSync(file, constants.R_OK);
    } catch {
      throw invalid(`proxy.${key}: ${file} cannot be read.`);
    }
  }
  return "readable";
}
