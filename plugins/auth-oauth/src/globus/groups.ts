import { answered, type ProviderClient } from "../provider-client.ts";
import { faults } from "./errors.ts";

/** Resource server whose token may ask for groups. */
export const GROUPS_SERVER = "groups.api.globus.org";

/** UUIDs of the groups the token's holder is an active member of. Throws GLOBUS_GROUPS_UNKNOWN. */
export async function groupsOf(
  token: string | undefined,
  groupsUrl: string,
  client: ProviderClient,
  signal: AbortSignal,
): Promise<string[]> {
  if (!token) throw faults("GROUPS_UNKNOWN", { detail: { missing: `a token of ${GROUPS_SERVER}` } });
  const answer = await answered(faults, () =>
    client.ask(groupsUrl, { headers: { authorization: `Bearer ${token}` }, signal }),
  );
  if (answer.status !== 200 || !Array.isArray(answer.body))
    throw faults("GROUPS_UNKNOWN", { detail: { address: groupsUrl, status: answer.status } });
  return answer.body.flatMap((group: unknown) => {
    const { id, my_memberships: memberships }: { id?: unknown; my_memberships?: unknown } = Object(group);
    return typeof id === "string" && isActive(memberships) ? [id.toLowerCase()] : [];
  });
}

/** Who is only invited, or has asked to join, stands in the list too. */
const isActive = (memberships: unknown): boolean =>
  !Array.isArray(memberships) || memberships.some((one: unknown) => Object(one).status === "active");
