import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { kill, sessions, signal } from "./processes.ts";
import { beginSweeper } from "./sweep.ts";
import { unusedPort } from "./unused-port.ts";

/** Two login hosts: an sshd each on an address of its own, with accounts that are removed again. */
export interface SshBed {
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** Real accounts of this machine, with homes, accepted on both hosts. */
  readonly accounts: readonly string[];
  /** Key that is accepted for every account. */
  readonly privateKeyFile: string;
  /** Key of the authority whose user certificates are accepted; the principal is the account. */
  readonly caKeyFile: string;
  /** Host keys as they were at the start. */
  readonly knownHostsFile: string;
  /** What one sshd wrote so far. */
  log(host: string): string;
  /** Ends the sshd and every session of it; what sessions left behind goes on. */
  stop(host: string): Promise<void>;
  start(host: string): Promise<void>;
  /** Every sshd of the host stands still: connections are taken and nothing is said, as with a home that hangs. */
  freeze(host: string): void;
  thaw(host: string): void;
  /** The host comes back with another key, as a reinstalled or a false one would. */
  changeHostKey(host: string): Promise<void>;
  close(): Promise<void>;
}

const ADDRESSES = ["127.0.0.2", "127.0.0.3"];
const SBIN = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` };

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: "utf8", env: SBIN, stdio: ["ignore", "pipe", "pipe"] });

/** Why it cannot run here; false when it can. */
export function sshMissing(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    return "needs root on Linux: ssh is NOT tested on real hosts";
  for (const command of ["sshd", "ssh-keygen", "useradd", "userdel"]) {
    try {
      run("sh", "-c", `command -v ${command}`);
    } catch {
      return `needs ${command}: ssh is NOT tested on real hosts`;
    }
  }
  return false;
}

const keyFile = (file: string): string => {
  run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "elara-bed", "-f", file);
  return file;
};

const answers = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });

const configuration = (folder: string, host: string, port: number, accounts: readonly string[]): string =>
  `ListenAddress ${host}:${port}
PidFile none
HostKey ${folder}/host_${host}
TrustedUserCAKeys ${folder}/user_ca.pub
AuthorizedPrincipalsFile ${folder}/principals/%u
AuthorizedKeysFile ${folder}/authorized
AllowUsers ${accounts.join(" ")}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin no
AllowTcpForwarding yes
X11Forwarding no
PrintMotd no
MaxStartups 100:30:200
LogLevel VERBOSE
`;

/** Starts both hosts. `StrictModes no`: the folder lies below a sticky one; a real site keeps it on. */
export async function startSsh(): Promise<SshBed> {
  const folder = mkdtempSync(join(tmpdir(), "elara-ssh-"));
  chmodSync(folder, 0o755);
  const listeners = new Map<string, ChildProcess>();
  const accounts = ["a", "b"].map((letter) => `elara-s${randomBytes(3).toString("hex")}${letter}`);
  const close = beginSweeper("ssh-sweep.ts", [folder, ...accounts]);
  try {
    for (const account of accounts) {
      run("useradd", "--create-home", "--shell", "/bin/bash", account);
      // No password, yet not locked: without PAM sshd refuses locked accounts.
      run("usermod", "--password", "*", account);
    }
    const privateKeyFile = keyFile(join(folder, "hub_key"));
    const caKeyFile = keyFile(join(folder, "user_ca"));
    writeFileSync(join(folder, "authorized"), readFileSync(`${privateKeyFile}.pub`));
    mkdirSync(join(folder, "principals"));
    for (const account of accounts) writeFileSync(join(folder, "principals", account), `${account}\n`);
    // What the packaged unit would make; stays, as other sshd on this machine may need it.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });

    const hosts = await Promise.all(ADDRESSES.map(async (host) => ({ host, port: await unusedPort(host) })));
    const knownHostsFile = join(folder, "known_hosts");
    for (const { host, port } of hosts) {
      const key = keyFile(join(folder, `host_${host}`));
      writeFileSync(knownHostsFile, `[${host}]:${port} ${readFileSync(`${key}.pub`, "utf8")}`, { flag: "a" });
      writeFileSync(join(folder, `${host}.conf`), configuration(folder, host, port, accounts));
    }
    const portOf = (host: string): number => {
      const found = hosts.find((each) => each.host === host);
      if (!found) throw new Error(`${host} is no host of this bed`);
      return found.port;
    };
    const logOf = (host: string): string => join(folder, `${host}.log`);
    const sshd = run("sh", "-c", "command -v sshd").trim();

    const tell = (host: string, name: "SIGSTOP" | "SIGCONT"): void => {
      const pid = listeners.get(host)?.pid;
      if (pid !== undefined) for (const each of [pid, ...sessions(pid)]) signal(each, name);
    };

    const bed: SshBed = {
      hosts,
      accounts,
      privateKeyFile,
      caKeyFile,
      knownHostsFile,
      log: (host) => readFileSync(logOf(host), "utf8"),
      async start(host) {
        const port = portOf(host);
        const log = openSync(logOf(host), "a");
        const child = spawn(sshd, ["-D", "-e", "-f", join(folder, `${host}.conf`)], {
          stdio: ["ignore", log, log],
        });
        listeners.set(host, child);
        for (let wait = 0; !(await answers(host, port)); wait += 1) {
          if (wait > 500 || child.exitCode !== null)
            throw new Error(`sshd on ${host} does not answer:\n${bed.log(host)}`);
          await pause(20);
        }
      },
      async stop(host) {
        const child = listeners.get(host);
        listeners.delete(host);
        if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const below = sessions(child.pid);
        const ended = new Promise((resolve) => child.once("exit", resolve));
        kill(child.pid);
        await ended;
        below.forEach(kill);
      },
      freeze: (host) => tell(host, "SIGSTOP"),
      thaw: (host) => tell(host, "SIGCONT"),
      async changeHostKey(host) {
        await bed.stop(host);
        const file = join(folder, `host_${host}`);
        rmSync(file);
        keyFile(file);
        await bed.start(host);
      },
      close,
    };
    for (const { host } of hosts) await bed.start(host);
    return bed;
  } catch (error) {
    await close();
    throw error;
  }
}
