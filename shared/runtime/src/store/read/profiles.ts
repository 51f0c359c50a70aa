import { type Profile, profiles } from "@elara/contracts";
import type { Store } from "../store.ts";
import { documentsOf } from "./documents-of.ts";

const profilesIn = documentsOf(profiles);

/** What others may see of a profile. */
export type PublishedProfile = Omit<Profile, "v" | "rev">;

/** All profiles, as the form shows them from top to bottom. */
export async function allProfiles(store: Store): Promise<PublishedProfile[]> {
  const { items } = await profilesIn(store).find({ where: {}, sort: { by: ["position"] } });
  return items.map(({ v, rev, ...shown }) => shown);
}

/** Whether this user is offered the profile; who is not gets it refused by the API too. */
export const isVisible = (
  { visibleTo }: Pick<Profile, "visibleTo">,
  user: { readonly name: string; readonly admin: boolean },
): boolean => visibleTo.everyone || visibleTo.users.includes(user.name) || (visibleTo.admins && user.admin);
