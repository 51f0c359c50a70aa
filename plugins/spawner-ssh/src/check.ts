import { codeOf } from "@elara/contracts";
import { isLoopback } from "@elara/sdk";
import { sshError } from "./errors.ts";
import type { Options } from "./options.ts";
import type { Place, Places } from "./places.ts";
import type { Remote } from "./remote.ts";

/** Sees that every machine can be used as configured; throws with the fix for the first that cannot. */
export async function checkPlaces(
  config: Options,
  parts: { readonly places: Places; readonly remote: Remote; readonly apiUrl: string },
): Promise<void> {
  const { places, remote, apiUrl } = parts;
  const account = config.checkAccount || (config.account.includes("{username}") ? "" : config.account);

  /** Nobody in particular is let in; that it says so, after its key was found right, is what counts. */
  async function answers(place: Place): Promise<void> {
    await remote.connect(places.desk(place, "elara-check")).catch((error: unknown) => {
      if (codeOf(error) !== "SSH_LOGIN_REFUSED") throw error;
    });
  }

  for (const place of places.all) {
    if (isLoopback(new URL(apiUrl).hostname) && !isLoopback(place.host))
      throw sshError("SSH_HUB_UNREACHABLE", { operator: `Here it is ${apiUrl}, for ${place.name}.` });
    // The whole way once, for a server nobody has.
    if (account === "") await answers(place);
    else await remote.look(places.desk(place, account), []);
  }
}
