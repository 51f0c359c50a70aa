import { userInfo } from "node:os";
import { HubError } from "@elara/contracts";
import { isLoopback, readCertificate, refusePublicAddress } from "@elara/proxy";
import { hostOf } from "@elara/runtime/bus/host-of";
import { type EntryRules, hasOwnRules } from "@elara/runtime/own-rules";
import { isLocal } from "@elara/runtime/shared-account";
import type { Settings } from "./settings.ts";

// What a well-formed configuration can still get wrong. `elara check` tells each; `elara run` refuses to start on them.

const invalid = (operator: string): HubError => new HubError("CONFIG_INVALID", { operator });

/** Whom these rules let in, in words; undefined: nobody. */
function letIn({ allowAll, allowedUsers = [], adminUsers = [] }: EntryRules): string | undefined {
  const named = new Set([...allowedUsers, ...adminUsers]).size;
  if (allowAll) return "everybody it knows";
  return named === 0 ? undefined : `${named} named ${named === 1 ? "user" : "users"}`;
}

/** Who gets in by which authenticator, in words. Throws CONFIG_INVALID when nobody does. */
export function allowRule({ authenticators, sections }: Settings): string {
  const auth: EntryRules = sections.auth ?? {};
  if (authenticators.length === 0)
    throw invalid('authenticators: is empty, so nobody can log in. Name one, e.g. ["pam"].');
  const ways = authenticators.map((entry) => {
    const { name, plugin, options } = entry;
    const isOwn = hasOwnRules(entry);
    const words = [letIn(isOwn ? entry : auth), plugin.allows?.(options)].filter(
      (word) => word !== undefined,
    );
    return { name, isOwn, words };
  });
  if (ways.every(({ words }) => words.length === 0)) {
    throw invalid(
      "auth.allowedUsers: is empty and auth.allowAll is not set, and no entry of `authenticators` has a rule, so nobody gets in. List names, or set allowAll: true to let in everybody the authenticator knows.",
    );
  }
  const told = ways.map(({ name, words }) => `${name}: ${words.join(", and ") || "nobody"}`);
  const shared = ways.filter(({ isOwn }) => !isOwn).map(({ name }) => name);
  const isAmbiguous = shared.length > 1 && !auth.allowAll && letIn(auth) !== undefined;
  const note = `; the names under \`auth\` may be claimed by whoever has them at any of ${shared.join(", ")}: write them into the entry they are meant for`;
  return `${told.join("; ")}${isAmbiguous ? note : ""}`;
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
export function publicAddress({ hub: { network } }: Settings): void {
  refusePublicAddress(network, network.tls !== undefined);
}

/** What is wrong with a bus in clear on a network, in words; undefined where nothing is. */
export function busInClear({ bus: { use, servers, tls } }: Settings): string | undefined {
  if (use !== "nats" || tls || servers.map(hostOf).every(isLoopback)) return undefined;
  return "bus.servers: in clear beyond this machine, tokens of subscribers too. Set bus.tls here and `elara nats config --tls-certificate … --tls-key …` there, unless the network is closed";
}

/** Throws CONFIG_INVALID when two listeners want one port. */
export function distinctPorts({ hub: { network } }: Settings): void {
  const { host, port, internalHost, internalPort, redirectPort } = network;
  if (port === internalPort && host === internalHost)
    throw invalid(`network.internalPort: is ${internalPort}, as network.port is; give each its own.`);
  if (redirectPort > 0 && (redirectPort === port || (redirectPort === internalPort && host === internalHost)))
    throw invalid(
      `network.redirectPort: is ${redirectPort}, as another port of network is; give each its own.`,
    );
}

/** What users reach the hub over, in words. Throws when the certificate, or what is said of it, cannot work. */
export function certificate({ hub }: Settings): string {
  const { tls, redirectPort, behindProxy } = hub.network;
  if (!tls) {
    if (redirectPort > 0)
      throw invalid(
        "network.redirectPort: sends to HTTPS, and there is none here. Set network.tls, or leave redirectPort out.",
      );
    return "none: no TLS here";
  }
  if (hub.publicUrl.startsWith("http:") && !behindProxy)
    throw invalid(
      `hub.publicUrl: ${hub.publicUrl} begins with http, and network.tls serves https. Write https.`,
    );
  const now = Date.now();
  const { names, validTo } = readCertificate(tls, { now, publicUrl: behindProxy ? "" : hub.publicUrl });
  return `for ${names}, ${Math.floor((validTo - now) / 86_400_000)} days left`;
}
