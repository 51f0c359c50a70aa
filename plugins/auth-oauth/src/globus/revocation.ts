import { answered, basic, type ProviderClient } from "../provider-client.ts";
import { faults } from "./errors.ts";
import type { GlobusSettings } from "./settings.ts";

/** Revokes tokens, all that can be; one that is not known any more counts as revoked. Throws the first GLOBUS_ code. */
export async function revoke(
  tokens: readonly string[],
  { revocationUrl, clientId, clientSecret }: GlobusSettings,
  client: ProviderClient,
  signal: AbortSignal,
): Promise<void> {
  const authorization = basic(clientId, clientSecret);
  const each = async (token: string): Promise<void> => {
    const { status } = await answered(faults, () =>
      client.ask(revocationUrl, { method: "POST", headers: { authorization }, form: { token }, signal }),
    );
    if (status === 200) return;
    throw faults(status === 401 ? "CLIENT_REFUSED" : "PROVIDER_ERROR", {
      detail: { address: revocationUrl, status },
    });
  };
  const outcomes = await Promise.allSettled(tokens.map(each));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}
