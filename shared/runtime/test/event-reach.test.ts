import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import {
  busSubject,
  cloudType,
  type EventContract,
  ServerReady,
  SessionStarted,
  TokenCreated,
  UserUpdated,
  users,
} from "@elara/contracts";
import { type EventReach, mayRead, subjectFilters } from "../src/scopes/event-reach.ts";
import { expandScopes } from "../src/scopes/expand.ts";
import { mayFollowEvents, readEventReach } from "../src/store/read/event-reach.ts";
import { sqliteStore } from "../src/store/sqlite.ts";
import type { Store } from "../src/store/store.ts";
import { silentLog } from "./fixtures/log.ts";
import { addServer, addToken, addUser } from "./fixtures/people.ts";

const PEOPLE = ["ada", "bob", "eve"];
const about = (contract: EventContract, userId: string, objectId: string, data: Record<string, unknown>) => ({
  event: { type: cloudType(contract), data: { userId, ...data } },
  subject: busSubject(contract, userId, objectId),
});
const facts = [
  ...PEOPLE.flatMap((name) => [
    about(UserUpdated, `u${name}`, `u${name}`, {}),
    about(SessionStarted, `u${name}`, `n${name}`, {}),
    about(TokenCreated, `u${name}`, `a${name}`, {}),
    about(ServerReady, `u${name}`, `s${name}`, { serverName: "" }),
    about(ServerReady, `u${name}`, `s${name}lab`, { serverName: "lab" }),
  ]),
  ...PEOPLE.map((name) => ({
    event: { type: "org.elara.quota.warned.v1", data: { userId: `u${name}` } },
    subject: `hub.ev.v1.quota.warned.u${name}.q${name}`,
  })),
  about(TokenCreated, "", "a901", { service: "cull" }),
  about(TokenCreated, "", "a902", { service: "other" }),
];
const matches = (pattern: string, subject: string): boolean => {
  const [want, have] = [pattern.split("."), subject.split(".")];
  if (want.at(-1) === ">") return want.slice(0, -1).every((token, at) => token === "*" || token === have[at]);
  return want.length === have.length && want.every((token, at) => token === "*" || token === have[at]);
};

describe("what scopes let one follow", () => {
  let store: Store;
  beforeEach(async () => {
    store = await sqliteStore({ file: ":memory:", log: silentLog });
    for (const name of PEOPLE) {
      await addUser(store, name);
      await addServer(store, name, "");
      await addServer(store, name, "lab");
    }
    await addToken(store, "cull", "", { publicId: "a901", userId: "", service: "cull", kind: "service" });
  });
  afterEach(() => store.close());
  const scopesOf = (...raw: string[]) => expandScopes(raw, { kind: "service", name: "cull" });
  const reachOf = (...raw: string[]): Promise<EventReach> => readEventReach(store, scopesOf(...raw));
  const read = (reach: EventReach): string[] =>
    facts.filter(({ event }) => mayRead(reach, event)).map(({ subject }) => subject);

  it("is one entity, one user, one server, one service, all, or nothing", async () => {
    const all = facts.map(({ subject }) => subject);
    assert.deepEqual(read(await reachOf("read:events")), all);
    assert.deepEqual(
      read(await reachOf("read:events:sessions")),
      all.filter((subject) => subject.includes(".session.")),
    );
    assert.deepEqual(
      read(await reachOf("read:events!user=ada")),
      all.filter((subject) => subject.includes(".uada.")),
    );
    assert.deepEqual(read(await reachOf("read:events:servers!server=ada/lab")), [
      "hub.ev.v1.server.ready.uada.sadalab",
    ]);
    assert.deepEqual(read(await reachOf("read:events:tokens!service")), ["hub.ev.v1.token.created.-.a901"]);
    const none = await reachOf("list:users", "read:servers", "read:events!user=nobody", "read:event");
    assert.deepEqual(read(none), []);
    assert.equal(mayFollowEvents(scopesOf("read:events:users!user=nobody")), true);
    assert.equal(mayFollowEvents(scopesOf("admin:users", "admin:servers", "tokens")), false);
  });

  it("shows entities without a scope of their own only to whom everything of that user is shown", async () => {
    const quota = { type: "org.elara.quota.warned.v1", data: { userId: "uada" } };
    assert.equal(mayRead(await reachOf("read:events"), quota), true);
    assert.equal(mayRead(await reachOf("read:events!user=ada"), quota), true);
    assert.equal(mayRead(await reachOf("read:events!user=bob"), quota), false);
    const parts = ["servers", "users", "sessions", "tokens"].map((part) => `read:events:${part}`);
    assert.equal(mayRead(await reachOf(...parts), quota), false);
  });

  it("goes by id: a renamed user's events go with them, whoever takes the name gets none of the old", async () => {
    const documents = store.collection(users);
    const ada = await documents.get("uada");
    await documents.patch("uada", ada?.rev ?? 0, { set: { name: "grace", nameKey: "grace" } });
    await addUser(store, "ada", { _id: "unew" });
    const mine = read(await reachOf("read:events!user=ada"));
    assert.deepEqual(mine, []);
    assert.equal(read(await reachOf("read:events!user=grace")).length, 6);
    // The label in the event is not asked.
    const labelled = {
      type: cloudType(ServerReady),
      data: { userId: "uada", userName: "ada", serverName: "" },
    };
    assert.equal(mayRead(await reachOf("read:events!user=ada"), labelled), false);
  });

  it("as subjects is the same set", async () => {
    const parts = ["", ":servers", ":users", ":sessions", ":tokens"];
    const filters = ["", "!user=ada", "!user=bob", "!server=ada/lab", "!server=bob/", "!service=cull"];
    const choices = parts.flatMap((part) => filters.map((filter) => `read:events${part}${filter}`));
    let seed = 7;
    const next = (n: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return (seed >> 8) % n;
    };
    for (let round = 0; round < 500; round += 1) {
      const raw = Array.from({ length: 1 + next(4) }, () => choices[next(choices.length)] ?? "");
      const reach = await reachOf(...raw);
      const filtered = subjectFilters(reach);
      assert.ok(filtered.by === "subjects");
      for (const { event, subject } of facts) {
        const isGiven = filtered.subjects.some((pattern) => matches(pattern, subject));
        assert.equal(isGiven, mayRead(reach, event), `${raw} → ${filtered.subjects}: ${subject}`);
      }
    }
  });

  it("of more than a hundred users is for the hub's own stream to filter", async () => {
    const names = Array.from({ length: 101 }, (_, index) => `many${index}`);
    for (const name of names) await addUser(store, name);
    const some = names.slice(0, 100).map((name) => `read:events!user=${name}`);
    const few = subjectFilters(await reachOf(...some));
    assert.ok(few.by === "subjects" && few.subjects.length === 100);
    const many = await reachOf(...names.map((name) => `read:events:servers!user=${name}`));
    assert.deepEqual(subjectFilters(many), { by: "gateway", named: 101 });
    assert.ok(mayRead(many, { type: cloudType(ServerReady), data: { userId: "umany100", serverName: "" } }));
  });
});
