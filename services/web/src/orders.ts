import { codeOf, HubError, SpawnCreate, SpawnStart, SpawnStop } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import type { Identity } from "@elara/runtime/store/read/identity";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import type { PublishedUser } from "@elara/runtime/store/read/users";
import type { ServerWish } from "./api/server-body.ts";

/** Who is named in orders and events. */
export const actorOf = (identity: Identity): string =>
  identity.kind === "user" ? `user:${identity.userId}` : `service:${identity.name}`;

interface Order {
  readonly user: PublishedUser;
  readonly serverName: string;
  readonly by: Identity;
}

/** Orders a start; resolves when accepted, also when one is pending already. SERVER_RUNNING when it is ready. */
export async function orderStart(bus: Bus, { user, serverName, by }: Order, wish: ServerWish) {
  try {
    return await bus.request(SpawnStart, {
      userId: user._id,
      userName: user.name,
      serverName,
      ...wish,
      actor: actorOf(by),
    });
  } catch (error) {
    const sentence = SENTENCES[codeOf(error)];
    if (sentence === undefined) throw error;
    throw new HubError(codeOf(error), { message: `${user.name}:${serverName} ${sentence}`, cause: error });
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  SERVER_RUNNING: "is already running",
};

/** Orders the record of a named server, not started. */
export const orderCreate = (bus: Bus, { user, serverName, by }: Order, wish: ServerWish) =>
  bus.request(SpawnCreate, {
    userId: user._id,
    userName: user.name,
    serverName,
    ...wish,
    actor: actorOf(by),
  });

/**
 * Orders a stop of the server that was read, which cancels a start; `remove` deletes the record of a named server once
 * stopped. SERVER_REPLACED when it was started anew meanwhile.
 */
export const orderStop = (
  bus: Bus,
  { user, server, by }: Pick<Order, "user" | "by"> & { readonly server: PublishedServer },
  remove: boolean,
) =>
  bus.request(SpawnStop, {
    userId: user._id,
    serverName: server.name,
    generation: server.generation,
    reason: by.userId === user._id ? "user" : "admin",
    ...(remove ? { remove } : {}),
    actor: actorOf(by),
  });
