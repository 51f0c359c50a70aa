import { mkdir } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { basename, resolve } from "node:path";
import { localError } from "./errors.ts";
import { folderName } from "./names.ts";

/** The user's home under the hub's data, made if missing. */
export async function homeOf(template: string, dataDir: string, userName: string): Promise<string> {
  if (template === "own") return homedir();
  const home = resolve(dataDir, template.replaceAll("{user}", folderName(userName)));
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw localError("LOCAL_HOME_UNUSABLE", { home }, error);
  }
  return home;
}

/** Variables of the hub's own environment that servers get too. */
export function kept(names: readonly string[], own: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of names) {
    const value = own[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** Who a server is when it runs as the hub's own account. */
export const personal = (userName: string, home: string): Record<string, string> => ({
  HOME: home,
  USER: userName,
  LOGNAME: userName,
  SHELL: userInfo().shell ?? "/bin/sh",
});

/**
 * Jupyter refuses to run as root unless told `--allow-root`. Said here and nowhere else, because only the spawner knows
 * as whom a server will run: never for a real account, never for other commands.
 */
export function withAllowRoot(argv: readonly string[], runsAsRoot: boolean): string[] {
  const isJupyter =
    /^jupyter(hub-singleuser|-labhub|-lab|-notebook|-server)?$/.test(basename(argv[0] ?? "")) ||
    argv.includes("jupyterhub.singleuser");
  return runsAsRoot && isJupyter && !argv.includes("--allow-root") ? [...argv, "--allow-root"] : [...argv];
}
