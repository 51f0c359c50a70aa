import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { kill } from "./processes.ts";

// A bed is taken down by a process of its own, so that nothing is left either when the test that made it is killed: the
// sweeper's standard input ends with its owner, however that ends.

const PATH = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;

/** For the owner: starts a sweeper of this folder. The result lets it sweep, and resolves when nothing is left. */
export function beginSweeper(program: `${string}-sweep.ts`, args: readonly string[]): () => Promise<void> {
  const sweeper = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url)), ...args], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
    env: { ...process.env, PATH },
  });
  const swept = new Promise<void>((resolve) => sweeper.once("close", () => resolve()));
  sweeper.unref();
  return () => {
    sweeper.ref();
    sweeper.stdin.end();
    return swept;
  };
}

/** For the sweeper: waits until its owner wants it to sweep, or is no more. */
export async function ownerGone(): Promise<void> {
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("close", resolve));
  // Not cut short by what ended the test.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
}

/** Ends what is found, until nothing is. */
export async function endAll(find: () => number[]): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const pids = find();
    if (pids.length === 0) return;
    pids.forEach(kill);
    await pause(50);
  }
}

/** Number of an account; undefined when it was not made. */
export function uidOf(account: string): number | undefined {
  try {
    const said = execFileSync("id", ["-u", account], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(said);
  } catch {
    return undefined;
  }
}

/** Removes an account that was made for a bed, with its home, its mail and these paths. */
export function removeAccount(account: string, ...paths: readonly string[]): void {
  if (uidOf(account) !== undefined) execFileSync("userdel", ["--force", account], { stdio: "ignore" });
  for (const path of [`/home/${account}`, `/var/mail/${account}`, ...paths]) removeTree(path);
}

/** Removes a folder, though a process that just ended may have written into it. */
export const removeTree = (path: string): void =>
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
