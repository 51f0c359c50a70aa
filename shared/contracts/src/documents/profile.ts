import { type Static, Type } from "typebox";
import { collection } from "../collection.ts";
import { Json, Time } from "../scalar.ts";
import { stored } from "./stored.ts";

/** Who is offered a profile. */
export const Visibility = Type.Object({
  everyone: Type.Boolean(),
  /** Names of users, beside everyone or instead. */
  users: Type.Array(Type.String()),
  admins: Type.Boolean(),
});
export type Visibility = Static<typeof Visibility>;

/** One choice of a profile: a field of the spawn form. */
export const ProfileField = Type.Object({
  /** The option it sets. */
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  /**
   * JSON Schema of the value, narrowed by plugin, profile and backend, with a `default` where there is one (else the
   * user has to say). An empty `enum`: the backend offers nothing of it now.
   */
  schema: Json,
});
export type ProfileField = Static<typeof ProfileField>;

/**
 * A named set of options of one spawner, as the spawn form offers it. `_id` is its slug. Written at the start of the
 * spawn service and whenever a backend offers something else; the order to start is checked against the same fields.
 */
export const Profile = Type.Object({
  ...stored,
  title: Type.String(),
  description: Type.String(),
  /** Name of the configured spawner. */
  backend: Type.String(),
  /** Place in the form, from 0. */
  position: Type.Integer({ minimum: 0 }),
  fields: Type.Array(ProfileField),
  visibleTo: Visibility,
  /** What the backend last said of its options (the plugin's `form`), by name; kept while it does not answer. */
  offered: Json,
  changedAt: Time,
});
export type Profile = Static<typeof Profile>;

export const profiles = collection({
  name: "profiles",
  owner: "spawn",
  schema: Profile,
  fields: { position: "number" },
  indexes: [{ fields: ["position", "_id"] }],
});
