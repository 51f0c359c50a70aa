import {
  AuthCreateUser,
  AuthDeleteUser,
  AuthGrantProbe,
  AuthGrantServer,
  AuthPreSpawn,
  AuthRevokeServer,
  AuthUpdateUser,
} from "@elara/contracts";
import type { Subscription } from "@elara/runtime/bus/bus";
import { grantProbe } from "./grant-probe.ts";
import { grantServer } from "./grant-server.ts";
import { type PreSpawnParts, preSpawner } from "./pre-spawn.ts";
import { revokeServer } from "./revoke-server.ts";
import { createUser, deleteUser, type UserOrderParts, updateUser } from "./user-orders.ts";

/** Takes all orders of auth, together with the other replicas. */
export function takeOrders(parts: UserOrderParts & PreSpawnParts): Subscription {
  const { ground, tokens } = parts;
  const { bus } = ground;
  const desks = [
    bus.reply(AuthGrantServer, (order) => grantServer(ground, parts, order)),
    bus.reply(AuthPreSpawn, preSpawner(parts)),
    bus.reply(AuthRevokeServer, (order) => revokeServer(ground, tokens, order)),
    bus.reply(AuthGrantProbe, (order) => grantProbe(ground, tokens, order)),
    bus.reply(AuthCreateUser, (order, { orderId }) => createUser(parts, order, orderId)),
    bus.reply(AuthUpdateUser, (order) => updateUser(parts, order)),
    bus.reply(AuthDeleteUser, (order) => deleteUser(parts, order)),
  ];
  return {
    async close() {
      await Promise.all(desks.map((desk) => desk.close()));
    },
  };
}
