import { spawn } from "node:child_process";

/** A process that made a bed. */
export interface Owner {
  /** What its script printed: a JSON array of words. */
  readonly told: readonly string[];
  /** As a test that is killed: nothing of it runs any more. */
  kill(): void;
}

/** Runs this script as the owner of a bed; it finds packages as a file in `folder` does, and lives on when it has told. */
export async function ownerOf(script: string, folder: string): Promise<Owner> {
  const lasting = `${script}\nsetInterval(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", lasting], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [told] = await child.stdout.setEncoding("utf8").take(1).toArray();
  return { told: JSON.parse(told), kill: () => void child.kill("SIGKILL") };
}
