import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expandScopes, type ScopeOwner, tokenScopes, unknownScopes } from "../src/scopes/expand.ts";
import { visibleFields } from "../src/scopes/fields.ts";
import type { GroupLookup } from "../src/scopes/filter.ts";
import { HIERARCHY, isScope, type Scope, withSubscopes } from "../src/scopes/hierarchy.ts";
import { roleScopes } from "../src/scopes/roles.ts";

const ada: ScopeOwner = { kind: "user", name: "ada" };
const groups: GroupLookup = {
  groupsOf: (user) => (user === "ada" || user === "eve" ? ["staff"] : []),
  membersOf: (group) => (group === "staff" ? ["ada", "eve"] : []),
};
const scopes = (...raw: string[]) => expandScopes(raw, ada, groups);

describe("expanding scopes", () => {
  it("brings along every subscope, with the same filter", () => {
    assert.deepEqual(scopes("users:activity!user=bob").list(), [
      "read:users:activity!user=bob",
      "users:activity!user=bob",
    ]);
    assert.deepEqual(scopes("list:users").list(), ["list:users", "read:users:name"]);
  });

  it("drops what is about users under a filter on a server", () => {
    assert.deepEqual(scopes("servers!server=ada/x").list(), [
      "delete:servers!server=ada/x",
      "read:servers!server=ada/x",
      "servers!server=ada/x",
      "start:servers!server=ada/x",
    ]);
  });

  it("lets an unfiltered scope swallow filtered ones, in either order", () => {
    assert.deepEqual(scopes("tokens!user=bob", "tokens").list(), ["read:tokens", "tokens"]);
    assert.deepEqual(scopes("tokens", "tokens!user=bob").list(), ["read:tokens", "tokens"]);
  });

  it("resolves !user, !server and !service by the owner, or grants nothing", () => {
    const server = expandScopes(roleScopes("server"), { ...ada, server: "ada/lab2" });
    assert.deepEqual(server.list(), [
      "access:servers!server=ada/lab2",
      "read:users:activity!user=ada",
      "users:activity!user=ada",
    ]);
    assert.deepEqual(scopes("access:servers!server", "access:services!service").list(), []);
    const service: ScopeOwner = { kind: "service", name: "cull" };
    assert.deepEqual(expandScopes(["read:services:name!service", "self", "tokens!user"], service).list(), [
      "read:services:name!service=cull",
    ]);
  });

  it("gives `self` what a user may do with their own, and nothing of others", () => {
    const self = scopes("self");
    for (const scope of ["access:servers", "start:servers", "tokens", "read:users:groups"] as const) {
      assert.ok(self.allows(scope, { user: "ada" }), scope);
      assert.ok(!self.allows(scope, { user: "bob" }), scope);
      assert.ok(!self.allows(scope), scope);
    }
    assert.ok(!self.has("list:users"));
  });

  it("grants nothing for unknown scopes and malformed filters, and names them", () => {
    const raw = ["read:everything", "tokens!user=", "tokens!color=red", "tokens!group", "servers!server=ada"];
    assert.deepEqual(scopes(...raw).list(), []);
    assert.deepEqual(unknownScopes([...raw, "tokens!user=bob", "inherit", "self", "servers!server"]), raw);
  });

  it("gives administrators the scopes of JupyterHub's role, unfiltered", () => {
    const admin = expandScopes(roleScopes("admin"), ada);
    for (const scope of ["admin-ui", "delete:users", "start:servers", "proxy", "read:roles:groups"] as const)
      assert.ok(admin.allows(scope), scope);
    assert.deepEqual(admin.usersOf("read:servers"), "all");
  });
});

describe("asking a set of scopes", () => {
  it("covers a user's servers by the user, one server by its own filter", () => {
    assert.ok(scopes("servers!user=bob").allows("start:servers", { user: "bob", server: "lab" }));
    const one = scopes("servers!server=bob/lab", "servers!server=bob/");
    assert.ok(one.allows("start:servers", { user: "bob", server: "lab" }));
    assert.ok(one.allows("start:servers", { user: "bob", server: "" }));
    assert.ok(!one.allows("start:servers", { user: "bob", server: "other" }));
    assert.ok(!one.allows("start:servers", { user: "bob" }));
  });

  it("covers the members of a group and their servers", () => {
    const staff = scopes("servers!group=staff", "groups!group=staff");
    assert.ok(staff.allows("read:servers", { user: "eve", server: "x" }));
    assert.ok(!staff.allows("read:servers", { user: "bob", server: "x" }));
    assert.ok(staff.allows("read:groups", { group: "staff" }));
    assert.deepEqual(staff.usersOf("read:servers"), ["ada", "eve"]);
  });

  it("is not fooled by names that look like other filters", () => {
    assert.ok(!scopes("servers!server=ada/x").allows("servers", { user: "ada/x" }));
    assert.ok(!scopes("servers!user=a").allows("servers", { user: "ab" }));
    assert.ok(!isScope("constructor") && !isScope("__proto__"));
  });
});

describe("intersecting", () => {
  const common = (a: string[], b: string[]) =>
    scopes(...a)
      .intersect(scopes(...b))
      .list();

  it("resolves the hierarchy and the filters both ways", () => {
    assert.deepEqual(common(["admin:users"], ["read:users:name!user=bob"]), ["read:users:name!user=bob"]);
    assert.deepEqual(common(["access:servers!user=a"], ["access:servers!server=a/x"]), [
      "access:servers!server=a/x",
    ]);
    assert.deepEqual(common(["tokens!group=staff"], ["read:tokens!user=eve", "read:tokens!user=bob"]), [
      "read:tokens!user=eve",
    ]);
    assert.deepEqual(common(["access:servers!group=staff"], ["access:servers!server=eve/x"]), [
      "access:servers!server=eve/x",
    ]);
    assert.deepEqual(common(["tokens!user=a"], ["tokens!user=b"]), []);
  });

  it("names what a token may not be given", () => {
    assert.deepEqual(scopes("self").missing(scopes("tokens!user", "read:hub", "list:users")), [
      "list:users",
      "read:hub",
      "read:users:name",
    ]);
    assert.deepEqual(scopes("self").missing(scopes("read:users!user=ada")), []);
  });

  it("keeps a token below its owner, and always lets it say who it is", () => {
    const owner = scopes("self");
    assert.deepEqual(tokenScopes(["inherit"], ada, owner).list(), owner.list());
    assert.deepEqual(tokenScopes(["read:hub", "access:servers!server=ada/"], ada, owner).list(), [
      "access:servers!server=ada/",
      "read:users:groups!user=ada",
      "read:users:name!user=ada",
    ]);
  });

  it("is commutative, idempotent, and never allows what one side refuses", () => {
    const names = Object.keys(HIERARCHY).filter(isScope);
    const filters = ["", "", "!user=ada", "!user=bob", "!server=ada/x", "!server=bob/", "!group=staff"];
    const resources = [
      {},
      { user: "ada" },
      { user: "bob" },
      { user: "eve" },
      { user: "ada", server: "x" },
      { user: "ada", server: "y" },
      { user: "bob", server: "" },
      { group: "staff" },
    ];
    let seed = 11;
    const next = (n: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return (seed >> 8) % n;
    };
    const some = (): string[] =>
      Array.from(
        { length: 1 + next(4) },
        () => `${names[next(names.length)]}${filters[next(filters.length)]}`,
      );
    for (let round = 0; round < 2000; round += 1) {
      const [x, y] = [some(), some()];
      const [a, b] = [scopes(...x), scopes(...y)];
      const both = a.intersect(b);
      const what = `${x} ∩ ${y}`;
      assert.deepEqual(both.list(), b.intersect(a).list(), what);
      assert.deepEqual(a.intersect(a).list(), a.list(), what);
      for (const scope of names)
        for (const resource of resources) {
          const allowed = a.allows(scope, resource) && b.allows(scope, resource);
          assert.equal(
            both.allows(scope, resource),
            allowed,
            `${what}: ${scope} ${JSON.stringify(resource)}`,
          );
        }
    }
  });
});

describe("the hierarchy", () => {
  it("has no cycles, and a scope without filter implies each of its subscopes", () => {
    const check = (scope: Scope, path: readonly Scope[]): void => {
      assert.ok(!path.includes(scope), `cycle ${[...path, scope]}`);
      for (const child of HIERARCHY[scope].subscopes) {
        assert.ok(withSubscopes(scope).has(child));
        check(child, [...path, scope]);
      }
    };
    for (const scope of Object.keys(HIERARCHY).filter(isScope)) check(scope, []);
  });
});

describe("visible fields", () => {
  it("are the union over the scopes held for that very user", () => {
    const held = scopes("read:users:name", "read:users:groups!user=bob");
    assert.deepEqual([...visibleFields("user", held, { user: "eve" })].sort(), [
      "admin",
      "kind",
      "name",
      "user_info",
    ]);
    assert.ok(visibleFields("user", held, { user: "bob" }).has("groups"));
    assert.equal(visibleFields("user", scopes("tokens"), { user: "eve" }).size, 0);
  });
});
