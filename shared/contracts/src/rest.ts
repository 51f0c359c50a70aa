import { type Static, Type } from "typebox";

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** JupyterHub's server model (contract §1.5). */
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

/** Body of every error on the API: JupyterHub's two fields and our code. */
export const ErrorModel = Type.Object({
  status: Type.Integer(),
  message: nullable(Type.String()),
  code: Type.String(),
});
export type ErrorModel = Static<typeof ErrorModel>;
