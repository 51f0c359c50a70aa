import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";

/** Why real PAM log-ins cannot be tested here, `undefined` when they can. */
export const noAccounts: string | undefined =
  process.getuid?.() === 0 ? undefined : "needs root: makes temporary system accounts and a PAM service";

const run = (command: string, args: string[], input?: string): void => {
  execFileSync(command, args, {
    stdio: ["pipe", "ignore", "pipe"],
    ...(input === undefined ? {} : { input }),
  });
};

export interface SystemAccount {
  readonly name: string;
  readonly password: string;
  remove(): void;
}

/** A real account of this machine with a password; `arrange` changes it, e.g. locks it. */
export function systemAccount(arrange: (name: string) => [string, ...string[]][] = () => []): SystemAccount {
  const name = `elara-${randomBytes(4).toString("hex")}`;
  const password = randomBytes(12).toString("base64url");
  run("useradd", ["--no-create-home", "--shell", "/usr/sbin/nologin", name]);
  const remove = () => run("userdel", [name]);
  try {
    run("chpasswd", [], `${name}:${password}\n`);
    for (const [command, ...args] of arrange(name)) run(command, args);
  } catch (error) {
    remove();
    throw error;
  }
  return { name, password, remove };
}

/** An own PAM service file, so that the machine's `login` stack does not matter. */
export function pamService(lines: string[]): { readonly name: string; remove(): void } {
  const name = `elara-test-${randomBytes(4).toString("hex")}`;
  const file = `/etc/pam.d/${name}`;
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o644, flag: "wx" });
  return { name, remove: () => rmSync(file) };
}
