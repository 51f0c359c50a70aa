import type { BuiltIns } from "@elara/runtime/plugins/load";

/** Authenticators that come with the hub. */
export const authenticators: BuiltIns = {
  dummy: () => import("@elara/auth-dummy"),
  github: () => import("@elara/auth-oauth/github"),
  globus: () => import("@elara/auth-oauth/globus"),
  pam: () => import("@elara/auth-pam"),
};

/** Spawners that come with the hub. */
export const spawners: BuiltIns = {
  local: () => import("@elara/spawner-local"),
  batch: () => import("@elara/spawner-batch"),
  docker: () => import("@elara/spawner-docker"),
  ssh: () => import("@elara/spawner-ssh"),
};
