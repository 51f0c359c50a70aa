import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { makeDataDir } from "./data-dir.ts";

/** What the command line says about a trial. */
export interface TrialOptions {
  readonly dataDir: string;
  readonly admin: string | undefined;
}

const passwordFile = (dataDir: string): string => join(dataDir, "trial_password");

/** The one password of trial mode: from ELARA_TRIAL_PASSWORD, else made once and kept 0600 in the data directory. */
export function trialPassword(dataDir: string): string {
  const file = passwordFile(dataDir);
  makeDataDir(dataDir);
  const given = process.env.ELARA_TRIAL_PASSWORD;
  if (given) return given;
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(9).toString("base64url")}\n`, { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

/** Who is admin in a trial: the given name, else the account that started it. */
const trialAdmin = ({ admin }: TrialOptions): string => (admin ?? userInfo().username).toLowerCase();

/** How people log in to a trial, as lines for them; a password they gave themselves is not repeated. */
export function trialLines(options: TrialOptions): string[] {
  const password = process.env.ELARA_TRIAL_PASSWORD
    ? "in ELARA_TRIAL_PASSWORD"
    : trialPassword(options.dataDir);
  return [
    `  Log in    with any user name and the password ${password}`,
    `  Admin     ${trialAdmin(options)}`,
  ];
}

/**
 * The configuration of trial mode, as an administrator would write it: loopback only, any valid user name with the one
 * password, a home of its own for each user under the data directory.
 */
export function trialConfig(options: TrialOptions): Record<string, unknown> {
  const password = process.env.ELARA_TRIAL_PASSWORD
    ? { env: "ELARA_TRIAL_PASSWORD" }
    : { file: passwordFile(options.dataDir) };
  return {
    hub: { dataDir: options.dataDir, trial: true },
    log: { level: "warn" },
    authenticators: [{ use: "dummy", options: { password } }],
    auth: { allowAll: true, adminUsers: [trialAdmin(options)] },
    spawners: [{ use: "local" }],
  };
}
