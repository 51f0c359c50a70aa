import type { LastTimes, Phase, Step } from "@elara/contracts";
import type { EventReach } from "@elara/runtime/scopes/event-reach";
import type { ScopeSet } from "@elara/runtime/scopes/scope-set";
import { lastTimesOfMany } from "@elara/runtime/store/read/activity";
import { mayFollowEvents, readEventReach, userIdsOf } from "@elara/runtime/store/read/event-reach";
import { allProfiles, isVisible, type PublishedProfile } from "@elara/runtime/store/read/profiles";
import {
  activePage,
  type PublishedServer,
  routedPage,
  serverById,
  serverByName,
  serverByPath,
  serversOfUser,
  serversOfUsers,
} from "@elara/runtime/store/read/servers";
import { steps, tail } from "@elara/runtime/store/read/spawn-log";
import {
  type NamesQuery,
  type PublishedUser,
  type UsersPage,
  type UsersQuery,
  userByName,
  usersByIds,
  usersByNameRange,
  usersByNames,
  usersPage,
} from "@elara/runtime/store/read/users";
import type { Page, Store } from "@elara/runtime/store/store";
import type { ActivityFold } from "./activity/activity-fold.ts";
import { startsAgain } from "./models/server-state.ts";

/** Last times by activity key: `u:{userId}`, `s:{serverId}`. */
export type Times = (key: string) => LastTimes | undefined;

/** The shared read models, bound to the store; activity seen a moment ago is laid over what is stored. */
export interface Reads {
  userByName(name: string): Promise<PublishedUser | undefined>;
  usersByIds(ids: readonly string[]): Promise<PublishedUser[]>;
  usersByNames(names: readonly string[]): Promise<PublishedUser[]>;
  usersPage(query: UsersQuery): Promise<UsersPage>;
  usersByNameRange(query: NamesQuery): Promise<{ items: PublishedUser[]; more: boolean }>;
  serverById(id: string): Promise<PublishedServer | undefined>;
  serverByName(userId: string, name: string): Promise<PublishedServer | undefined>;
  serverByPath(path: string): Promise<PublishedServer | undefined>;
  serversOfUser(userId: string): Promise<PublishedServer[]>;
  /** Servers by user id. */
  serversOfUsers(userIds: readonly string[]): Promise<Map<string, PublishedServer[]>>;
  activePage(after: string | undefined, phases?: readonly Phase[]): Promise<Page<PublishedServer>>;
  routedPage(after: string | undefined): Promise<Page<PublishedServer>>;
  profiles(): Promise<PublishedProfile[]>;
  /** Those this user is offered. */
  profilesFor(user: { readonly name: string; readonly admin: boolean }): Promise<PublishedProfile[]>;
  times(userId: string): Promise<Times>;
  timesOfMany(userIds: readonly string[]): Promise<(userId: string) => Times>;
  /** Steps of the current attempt. */
  steps(server: PublishedServer): Promise<Step[]>;
  /** Whether these scopes let one follow any events, and which, names as they lead now. */
  mayFollowEvents(scopes: ScopeSet): boolean;
  eventReach(scopes: ScopeSet): Promise<EventReach>;
  /** Ids of users by name, also of a deleted one whose name is still reserved. */
  userIds(names: readonly string[]): Promise<string[]>;
  /** Last lines of its output, kept when it ended badly. */
  tail(server: PublishedServer): Promise<string[]>;
}

export function readsOf(store: Store, activity: ActivityFold): Reads {
  const timesOfMany = async (userIds: readonly string[]): Promise<(userId: string) => Times> => {
    const of = await lastTimesOfMany(store, userIds);
    return (userId) => {
      const stored = of(userId);
      return (key) => activity.over(key, stored.timesOf(key));
    };
  };
  return {
    userByName: (name) => userByName(store, name),
    usersByIds: (ids) => usersByIds(store, ids),
    usersByNames: (names) => usersByNames(store, names),
    usersPage: (query) => usersPage(store, query),
    usersByNameRange: (query) => usersByNameRange(store, query),
    serverById: (id) => serverById(store, id),
    serverByName: (userId, name) => serverByName(store, userId, name),
    serverByPath: (path) => serverByPath(store, path),
    serversOfUser: (userId) => serversOfUser(store, userId),
    async serversOfUsers(userIds) {
      const servers = await serversOfUsers(store, userIds);
      return Map.groupBy(servers, (server) => server.userId);
    },
    activePage: (after, phases) =>
      activePage(store, { ...(after === undefined ? {} : { after }), ...(phases ? { phases } : {}) }),
    routedPage: (after) => routedPage(store, after === undefined ? {} : { after }),
    profiles: () => allProfiles(store),
    profilesFor: async (user) => (await allProfiles(store)).filter((profile) => isVisible(profile, user)),
    times: async (userId) => (await timesOfMany([userId]))(userId),
    timesOfMany,
    // One that is wanted again waits for the end of the start before it, whose steps are not its own.
    steps: async (server) => (startsAgain(server) ? [] : steps(store, server._id, server.generation)),
    mayFollowEvents,
    eventReach: (scopes) => readEventReach(store, scopes),
    userIds: async (names) => [...(await userIdsOf(store, names)).values()],
    tail: (server) => tail(store, server._id, server.generation),
  };
}
