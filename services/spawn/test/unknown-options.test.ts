import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { HubError } from "@elara/contracts";
import type { ProfileEntry } from "../src/profiles/profile-entry.ts";
import { Stand } from "./stand.ts";

const refused =
  (code: string, field = "") =>
  (error: unknown) => {
    assert.ok(error instanceof HubError);
    assert.deepEqual({ code: error.code, field: error.field }, { code, field });
    return true;
  };

const keep = { unknownOptions: "keep" } as const;
const small: ProfileEntry = { slug: "small", title: "Small", spawner: "mock", fields: { cores: true } };
const STRANGE = { docker_image: "x:1", n: 3, none: null, deep: { "a.b": [1, { c: 2 }] } };

let stand: Stand;
beforeEach(async () => {
  stand = await Stand.open();
});
afterEach(() => stand.close());

const rested = async () => {
  await stand.orderStop();
  await stand.rest("stopped");
};
const handedOver = () => Object.keys(stand.world.requests.at(-1)?.options ?? {});

describe("options the spawner does not have", () => {
  it("are refused, if nothing else is configured", async () => {
    await stand.start();
    await assert.rejects(stand.order(STRANGE), refused("SPAWN_OPTIONS_INVALID", "docker_image"));
    await assert.rejects(stand.order({}, { profile: "tiny" }), refused("SPAWN_PROFILE_UNKNOWN", "profile"));
  });

  it("are kept for who sent them where that is configured, and never handed to the spawner", async () => {
    await stand.start({ ...keep, profiles: [small] });
    await stand.order({ ...STRANGE, cores: 2 });
    assert.deepEqual((await stand.rest("ready")).options, { ...STRANGE, cores: 2 });
    assert.equal(stand.world.requests[0]?.options.cores, 2);
    assert.deepEqual(
      handedOver().filter((name) => name in STRANGE),
      [],
    );
    await rested();
    await stand.order();
    assert.deepEqual((await stand.rest("ready")).options, { ...STRANGE, cores: 2 }, "as chosen last");
    assert.ok(!(await stand.attempt(2)).names.includes("choices"), "nothing was dropped");
  });

  it("do not open what the spawner has: wrong values and what is not offered are refused", async () => {
    await stand.start({ ...keep, profiles: [small] });
    await assert.rejects(stand.order({ n: 1, cores: 99 }), refused("SPAWN_OPTIONS_INVALID", "cores"));
    await assert.rejects(stand.order({ image: "a:1" }), refused("SPAWN_OPTIONS_INVALID", "image"));
    await assert.rejects(stand.order({ fixed: "mine" }), refused("SPAWN_OPTIONS_INVALID", "fixed"));
    await assert.rejects(
      stand.order({ constructor: 1, fixed: 1 }),
      refused("SPAWN_OPTIONS_INVALID", "fixed"),
    );
    await assert.rejects(stand.order({}, { profile: "tiny" }), refused("SPAWN_PROFILE_UNKNOWN", "profile"));
  });

  it("may be called `profile` where there are no profiles to choose from", async () => {
    await stand.start(keep, {}, ["mock", "other"]);
    await stand.order({ n: 1 }, { profile: "tiny" });
    const { profile, profileAsked, options } = await stand.rest("ready");
    assert.deepEqual([profile, profileAsked, options], ["mock", false, { profile: "tiny", n: 1 }]);
    await rested();
    await stand.order({}, { profile: "other" });
    const named = await stand.rest("ready");
    assert.deepEqual([named.profile, named.profileAsked, named.options], ["other", true, {}]);
  });

  it("are dropped, and that is said, once they are refused again", async () => {
    const first = await stand.start(keep);
    await stand.order({ n: 1, cores: 2 }, { profile: "tiny" });
    await stand.rest("ready");
    await rested();
    await first.close();
    await stand.start();
    await stand.order();
    assert.deepEqual((await stand.rest("ready")).options, { cores: 2 });
    const told = (await stand.attempt(2)).steps.find(({ step }) => step === "choices");
    assert.match(told?.message ?? "", /as you chose it last: profile, n;/);
  });

  it("are bounded", async () => {
    await stand.start(keep);
    await stand.order({ long: "x".repeat(16_000) });
    await stand.rest("ready");
    await rested();
    await assert.rejects(
      stand.order({ cores: 1, a: "x".repeat(20_000) }),
      refused("SPAWN_OPTIONS_INVALID", "a"),
    );
  });
});
