import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { HubError } from "@elara/contracts";
import { digest } from "@elara/runtime/id";
import { identityReader } from "@elara/runtime/store/read/identity";
import { pino } from "pino";
import { serviceFaults } from "../src/people/configured-services.ts";
import { Stand } from "./stand.ts";

const grades = { name: "grades", token: "grades-secret-0123456789", scopes: ["list:users"] };
const cull = { name: "cull", token: "cull-secret-0123456789", scopes: ["read:servers"] };

describe("services of the configuration", () => {
  const stands: Stand[] = [];
  afterEach(async () => {
    const [first, ...others] = stands.splice(0);
    for (const stand of others) await stand.close({ keepStore: true });
    await first?.close();
  });
  const open = async (services: object[]): Promise<Stand> => {
    const [first] = stands;
    const stand = await Stand.open({ config: { services }, ...(first ? { with: first } : {}) });
    stands.push(stand);
    return stand;
  };
  const readerOf = ({ store, clock }: Stand) =>
    identityReader({ store, clock, log: pino({ level: "silent" }), marksEveryMs: 0 });

  test("are known by their token with their scopes, in every process, from the start on", async () => {
    const stand = await open([grades, cull]);
    const reader = readerOf(stand);
    const identity = await reader.byToken(grades.token);
    assert.deepEqual(
      [identity?.kind, identity?.name, identity?.userId, identity?.scopes.list()],
      ["service", "grades", "", ["list:users", "read:users:name"]],
    );
    await reader.close();
    const made = await stand.event("token.created", ({ data }) => data.service === "grades");
    assert.match(made.subject, /^services\/grades\/tokens\/a\d+$/);
    assert.deepEqual(made.data.scopes, ["list:users"]);
    assert.ok(!JSON.stringify([stand.seen, stand.lines]).includes(grades.token));
    assert.ok(!JSON.stringify((await stand.records.tokens.find()).items).includes(grades.token));
  });

  test("get other scopes by another configuration, and cached identities are dropped", async () => {
    const stand = await open([grades]);
    const reader = readerOf(stand);
    await reader.refresh();
    assert.equal((await reader.byToken(grades.token))?.scopes.allows("list:users"), true);
    await open([{ ...grades, scopes: ["read:hub"] }]);
    await reader.refresh();
    assert.deepEqual((await reader.byToken(grades.token))?.scopes.list(), ["read:hub"]);
    await reader.close();
    const changed = await stand.event("token.changed", ({ data }) => data.service === "grades");
    assert.deepEqual([changed.seq, changed.data.scopes], [2, ["read:hub"]]);
  });

  test("lose their token when the configuration names them no longer, and get it back", async () => {
    const stand = await open([grades, cull]);
    await open([cull]);
    const reader = readerOf(stand);
    assert.equal(await reader.byToken(grades.token), undefined);
    assert.equal((await reader.byToken(cull.token))?.name, "cull");
    await stand.event("token.revoked", ({ data }) => data.service === "grades");
    await open([grades, cull]);
    assert.equal((await reader.byToken(grades.token))?.name, "grades");
    await reader.close();
    await stand.event("token.created", ({ data, seq }) => data.service === "grades" && seq === 3);
  });

  test("cannot have a token that is somebody else's", async () => {
    const stand = await open([]);
    const browser = await stand.loggedIn("ada");
    const answer = await browser.send(
      "POST",
      "/hub/api/users/ada/tokens",
      {},
      { "x-xsrftoken": browser.cookie("_xsrf") ?? "" },
    );
    const { token } = answer.json();
    await assert.rejects(open([{ ...grades, token }]), (error: unknown) => {
      assert.ok(error instanceof HubError && error.code === "CONFIG_INVALID");
      assert.match(error.operator, /^auth\.services\[0\]\.token: is in use by a user/);
      assert.ok(!error.operator.includes(token));
      return true;
    });
    assert.equal((await stand.records.tokens.get(digest(token)))?.kind, "api");
  });

  test("are refused with the field and the fix", () => {
    const faults = serviceFaults([
      grades,
      { name: "grades", token: grades.token, scopes: ["read:event", "inherit"] },
      { name: "short", token: "short", scopes: ["list:users!user="] },
    ]);
    assert.deepEqual(
      faults.map(({ path }) => path),
      [
        "services[1].name",
        "services[1].scopes",
        "services[1].scopes",
        "services[1].token",
        "services[2].scopes",
        "services[2].token",
      ],
    );
    assert.deepEqual(serviceFaults([grades, cull]), []);
  });
});
