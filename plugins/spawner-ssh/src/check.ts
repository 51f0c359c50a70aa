import { codeOf } from "@elara/contracts";
import { isLoopback, PluginError, type SpawnRequest } from "@elara/sdk";
import { errors, sshError } from "./errors.ts";
import type { Options } from "./options.ts";
import type { Login, Place, Places } from "./places.ts";
import type { Remote } from "./remote.ts";

/** What a server is begun with. */
export type Command = Pick<SpawnRequest, "argv" | "env">;

/** The machine's name goes before what the operator reads; what users would is left out. */
const named = (error: unknown, { name }: Place): unknown =>
  error instanceof PluginError
    ? new PluginError(errors, error.code, {
        operator: `${name}: ${error.operator}`,
        detail: error.detail,
        cause: error,
      })
    : error;

/**
 * Sees that every machine can be used as configured, and says what was proved. Throws with the fix for the first that
 * cannot. `attempt`: starts the command by a log-in and takes it back.
 */
export async function checkPlaces(
  config: Options,
  parts: {
    readonly places: Places;
    readonly remote: Remote;
    readonly apiUrl: string;
    readonly attempt: (login: Login) => Promise<void>;
  },
  command: Command,
): Promise<string> {
  const { places, remote, apiUrl, attempt } = parts;
  const account = config.checkAccount || (config.account.includes("{username}") ? "" : config.account);
  const { privateKey, certificate } = config.ssh;
  const isKeyOfAccount = `${privateKey}${certificate}`.includes("{username}");

  /** Nobody in particular is let in; that it says so, after its key was found right, is what counts. */
  async function answers(place: Place): Promise<void> {
    await remote.connect(places.login(place, "elara-check")).catch((error: unknown) => {
      if (codeOf(error) !== "SSH_LOGIN_REFUSED") throw error;
    });
  }

  async function check(place: Place): Promise<void> {
    if (isLoopback(new URL(apiUrl).hostname) && !isLoopback(place.host))
      throw sshError("SSH_HUB_UNREACHABLE", { operator: `Here it is ${apiUrl}.` });
    if (account !== "") {
      const login = places.login(place, account);
      await attempt(login);
    } else if (!isKeyOfAccount) await answers(place);
  }

  for (const place of places.all)
    await check(place).catch((error: unknown) => {
      throw named(error, place);
    });

  const names = places.names.join(", ");
  if (account !== "")
    return `${account} starts ${command.argv[0]} on ${names}, with records in ${config.runDir}`;
  const unproved = "log-in, Python, `runDir` and the command are not proved without `checkAccount`";
  return isKeyOfAccount
    ? `nobody asked ${names}, because the hub has keys for accounts only; ${unproved}`
    : `${names} answer with their right keys; ${unproved}`;
}
