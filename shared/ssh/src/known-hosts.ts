import { createHmac } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { plainFile } from "./plain-file.ts";
import { SshError } from "./ssh.ts";

/** One line of a known_hosts file. */
interface Line {
  readonly file: string;
  readonly number: number;
  readonly isRevoked: boolean;
  readonly hosts: readonly string[];
  readonly type: string;
  readonly key: string;
}

/** What the files say of one host. */
export interface KnownKeys {
  /** Types of its keys; the host should be asked for one of these. */
  readonly types: readonly string[];
  /** Why this key is not the host's, for the operator, with what to do; undefined when it is. */
  fault(key: Buffer): string | undefined;
}

/** The files that are read for an option's value. */
export const knownHostsFiles = (option: string): string[] =>
  option === "" ? [join(homedir(), ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"] : [option];

async function linesOf(file: string): Promise<Line[]> {
  const text = await plainFile(file).then(
    (read) => read.text,
    (error: unknown) => {
      const { message, cause } = error instanceof Error ? error : new Error(String(error));
      if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return "";
      throw new SshError("host_key", `\`knownHosts\`: ${file} ${message}`, { cause: error });
    },
  );
  return text.split("\n").flatMap((raw, at) => {
    const words = raw.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const [hosts, type, key] = words;
    // Authorities of host certificates are not understood, and a line that is not understood vouches for nobody.
    if (!hosts || !type || !key || raw.trim().startsWith("#") || (marker && marker !== "@revoked")) return [];
    return [{ file, number: at + 1, isRevoked: marker !== undefined, hosts: hosts.split(","), type, key }];
  });
}

function isFor(pattern: string, name: string): boolean {
  if (pattern.startsWith("|1|")) {
    const [, , salt = "", hash] = pattern.split("|");
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  }
  const regular = pattern
    .toLowerCase()
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${regular}$`).test(name);
}

/** As OpenSSH reads a list of patterns: one that is negated wins. */
const names = ({ hosts }: Line, name: string): boolean =>
  !hosts.some((pattern) => pattern.startsWith("!") && isFor(pattern.slice(1), name)) &&
  hosts.some((pattern) => isFor(pattern, name));

/** The first text in an SSH key blob is its type. */
const typeOf = (key: Buffer): string => key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");

/** Reads what is known of a host; a file that is absent knows nobody. Throws an SshError for other faults of files. Another port than 22 has lines of its own, `[host]:port`, else those of the host count. */
export async function knownKeys(files: readonly string[], host: string, port: number): Promise<KnownKeys> {
  const lines = (await Promise.all(files.map(linesOf))).flat();
  const plain = host.toLowerCase();
  const name = port === 22 ? plain : `[${plain}]:${port}`;
  // Revoked is revoked, whichever way the line names the host.
  const revoked = lines.filter((line) => line.isRevoked && (names(line, name) || names(line, plain)));
  const good = lines.filter(({ isRevoked }) => !isRevoked);
  const own = good.filter((line) => names(line, name));
  const known = own.length > 0 ? own : good.filter((line) => names(line, plain));
  return {
    types: [...new Set(known.map(({ type }) => type))],
    fault(key) {
      const [shown, type] = [key.toString("base64"), typeOf(key)];
      const out = revoked.find((line) => line.key === shown);
      if (out) return `the key of ${name} is revoked: ${out.file}, line ${out.number}. It is not talked to.`;
      if (known.some((line) => line.key === shown)) return undefined;
      const other = known.find((line) => line.type === type);
      if (other)
        return `the key of ${name} is not the one in ${other.file}, line ${other.number}: another machine may be answering in its place. If it was reinstalled, replace that line by: ${name} ${type} ${shown}`;
      return `the key of ${name} is not known. If it is the right one, add to ${files[0] ?? "known_hosts"}: ${name} ${type} ${shown}`;
    },
  };
}
