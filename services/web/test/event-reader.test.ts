import assert from "node:assert/strict";
import { it } from "node:test";
import type { CloudEvent } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { ScopeSet } from "@elara/runtime/scopes/scope-set";
import type { Identity } from "@elara/runtime/store/read/identity";
import { openReader } from "../src/events/reader.ts";

const NOW = Date.parse("2026-11-22T12:00:00.000Z");
const of = (type: string, userId: string, name = "", at = NOW): CloudEvent =>
  ({ type: `org.elara.${type}.v1`, time: timestamp(at), data: { userId, name } }) as unknown as CloudEvent;

/** A reader of all events of `names`; `asked` counts how often the store was asked for names. */
async function stand(names: readonly string[], ids: Map<string, string>) {
  let asked = 0;
  const identity = { scopes: new ScopeSet(new Map([["read:events", "all"]])) } as unknown as Identity;
  const reads = {
    mayFollowEvents: () => true,
    eventReach: async () => EVERYTHING,
    userIds: async (wanted: readonly string[]) => {
      asked += 1;
      return wanted.flatMap((name) => ids.get(name) ?? []);
    },
  };
  const identities = { refresh: async () => undefined, again: async () => identity };
  const clock = { now: () => NOW, monotonic: () => 0 };
  const query = { types: undefined, users: names, after: undefined, waitSeconds: undefined };
  const deps = { reads, identities, clock } as unknown as Parameters<typeof openReader>[0];
  const reader = await openReader(deps, identity, query);
  asked = 0;
  return { reader, asked: () => asked };
}

const EVERYTHING = {
  all: true,
  usersWhole: new Set<string>(),
  entities: { server: "all", user: "all", session: "all", token: "all" },
} as const;

it("names are read anew for an event that moves one of them, and for nobody else's", async () => {
  const ids = new Map([["ada", "u-ada"]]);
  const { reader, asked } = await stand(["ada"], ids);
  for (let n = 0; n < 20; n += 1) {
    assert.equal(await reader.wants(of("user.created", `u${n}`, `user${n}`)), false);
    assert.equal(await reader.wants(of("server.ready", `v${n}`)), false);
  }
  assert.equal(asked(), 0);
  ids.set("ada", "u-next");
  assert.equal(await reader.wants(of("user.updated", "u-ada", "grace")), false);
  assert.equal(asked(), 1);
  assert.equal(await reader.wants(of("server.ready", "u-next")), true);
});

it("a replay of what is older than the names asks for none", async () => {
  const { reader, asked } = await stand(["ada", "nobody"], new Map([["ada", "u-ada"]]));
  for (let n = 0; n < 20; n += 1) await reader.wants(of("user.updated", "u-ada", "ada", NOW - 3_600_000));
  assert.equal(asked(), 0);
});

it("a name that nobody has yet is looked for with everybody new", async () => {
  const ids = new Map<string, string>();
  const { reader, asked } = await stand(["zoe"], ids);
  assert.equal(await reader.wants(of("server.ready", "u-other")), false);
  ids.set("zoe", "u-zoe");
  assert.equal(await reader.wants(of("token.created", "u-zoe")), true);
  assert.equal(asked(), 2);
});
