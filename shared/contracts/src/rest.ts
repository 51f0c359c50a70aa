import { type Static, Type } from "typebox";
import { ProfileField } from "./documents/profile.ts";

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** JupyterHub's server model (contract §1.5), with why it is as it is and when its allocation ends. */
export const ServerModel = Type.Object({
  name: Type.String(),
  display_name: Type.String(),
  full_name: Type.String(),
  last_activity: nullable(Type.String()),
  started: nullable(Type.String()),
  pending: nullable(
    Type.Union([Type.Literal("spawn"), Type.Literal("stop"), Type.Literal("check"), Type.Literal("rename")]),
  ),
  ready: Type.Boolean(),
  stopped: Type.Boolean(),
  url: Type.String(),
  user_options: Type.Record(Type.String(), Type.Unknown()),
  progress_url: Type.String(),
  full_url: nullable(Type.String()),
  full_progress_url: nullable(Type.String()),
  /** What a queue waits for, why it is unknown; null for nothing to say. */
  reason: nullable(Type.String()),
  ends_at: nullable(Type.String()),
  state: Type.Optional(nullable(Type.Record(Type.String(), Type.Unknown()))),
});
export type ServerModel = Static<typeof ServerModel>;

/** JupyterHub's user model; which fields are present follows from the scopes held (contract §1.4). */
export const UserModel = Type.Object({
  kind: Type.Literal("user"),
  name: Type.String(),
  admin: Type.Optional(Type.Boolean()),
  roles: Type.Optional(Type.Array(Type.String())),
  groups: Type.Optional(Type.Array(Type.String())),
  server: Type.Optional(nullable(Type.String())),
  pending: Type.Optional(nullable(Type.String())),
  created: Type.Optional(Type.String()),
  last_activity: Type.Optional(nullable(Type.String())),
  user_info: Type.Optional(nullable(Type.Record(Type.String(), Type.Unknown()))),
  servers: Type.Optional(Type.Record(Type.String(), ServerModel)),
  auth_state: Type.Optional(nullable(Type.Record(Type.String(), Type.Unknown()))),
});
export type UserModel = Static<typeof UserModel>;

/** A profile as `GET /profiles` lists it: what a start may name, and the options it takes. */
export const ProfileModel = Type.Object({
  slug: Type.String(),
  title: Type.String(),
  description: Type.String(),
  /** Name of the configured spawner. */
  backend: Type.String(),
  fields: Type.Array(ProfileField),
});
export type ProfileModel = Static<typeof ProfileModel>;

/** Body of every error on the API: JupyterHub's two fields, our code, and the field that is wrong where it is one. */
export const ErrorModel = Type.Object({
  status: Type.Integer(),
  message: nullable(Type.String()),
  code: Type.String(),
  field: Type.Optional(Type.String()),
});
export type ErrorModel = Static<typeof ErrorModel>;
