import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { HubError, profiles, SpawnCreate } from "@elara/contracts";
import type { ProfileEntry } from "../src/profiles/profile-entry.ts";
import { Stand, USER, until } from "./stand.ts";

/** Refused with this code, at this field. */
const refused =
  (code: string, field = "") =>
  (error: unknown) => {
    assert.ok(error instanceof HubError);
    assert.deepEqual({ code: error.code, field: error.field }, { code, field });
    return true;
  };

const entry = (over: Partial<ProfileEntry>): ProfileEntry => ({
  slug: "small",
  title: "Small",
  spawner: "mock",
  fields: {},
  ...over,
});
const image = { image: { enum: ["a:1", "b:2"], default: "b:2" } };

let stand: Stand;
beforeEach(async () => {
  stand = await Stand.open();
});
afterEach(() => stand.close());

/** The schema of a field as pages read it. */
const schemaOf = async (slug: string, field: string) => {
  const profile = (await stand.profiles()).find(({ _id }) => _id === slug);
  return profile?.fields.find(({ name }) => name === field)?.schema;
};

describe("profiles in the store", () => {
  it("are one for each spawner where none is configured, with all that users may choose", async () => {
    await stand.start({}, {}, ["mock", { name: "other", options: { cores: 4 } }]);
    const [first, second, ...more] = await stand.profiles();
    assert.deepEqual(more, []);
    assert.deepEqual([first?._id, first?.backend, first?.position], ["mock", "mock", 0]);
    assert.deepEqual([second?._id, second?.visibleTo.everyone], ["other", true]);
    assert.ok(!second?.fields.some(({ name }) => name === "fixed"));
    assert.deepEqual(await schemaOf("other", "cores"), {
      type: "integer",
      minimum: 1,
      maximum: 8,
      default: 4,
    });
    assert.equal(first?.fields.find(({ name }) => name === "image")?.title, "Image");
  });

  it("are narrowed by plugin, backend and profile, and begin with what is left", async () => {
    stand.world.form = async () => ({
      image: { enum: ["b:2", "c:3"], default: "c:3", description: "From the registry" },
      cores: { maximum: 6, minimum: 2, title: "Cores" },
      submitMs: { enum: [1, 2] },
    });
    const all = entry({ slug: "all", fields: { image: true, cores: true } });
    const own = entry({
      slug: "own",
      options: { submitMs: 5 },
      fields: { image: { enum: ["a:1", "b:2"] }, cores: { maximum: 4, default: 3 }, submitMs: true },
    });
    await stand.start({ profiles: [own, all] });
    assert.deepEqual(
      (await stand.profiles()).map(({ _id }) => _id),
      ["own", "all"],
    );
    const text = { type: "string", pattern: "^[a-z]+:" };
    assert.deepEqual(await schemaOf("all", "image"), { ...text, enum: ["b:2", "c:3"], default: "c:3" });
    assert.deepEqual(await schemaOf("own", "image"), { ...text, enum: ["b:2"], default: "b:2" });
    const number = { type: "integer", minimum: 2 };
    assert.deepEqual(await schemaOf("all", "cores"), { ...number, maximum: 6, default: 2 });
    assert.deepEqual(await schemaOf("own", "cores"), { ...number, maximum: 4, default: 3 });
    assert.equal((await schemaOf("own", "submitMs"))?.default, 1, "what the profile says is not offered");
    const [first] = await stand.profiles();
    assert.equal(first?.fields[0]?.description, "From the registry");
    assert.equal(first?.fields[1]?.title, "Cores");
  });

  it("follow what the backend offers, and keep it while it does not answer, over a restart too", async () => {
    stand.world.form = async () => ({ image: { enum: ["a:1"] } });
    const config = { profiles: [entry({ fields: { image: true } })] };
    const first = await stand.start(config, { formEveryMs: 20 });
    assert.deepEqual((await schemaOf("small", "image"))?.enum, ["a:1"]);
    stand.world.form = async () => ({ image: { enum: ["b:2"] } });
    await until("offer seen", async () => (await schemaOf("small", "image"))?.default === "b:2");
    stand.world.form = async () => {
      throw new Error("down");
    };
    const asked = stand.world.forms;
    await until("asked again", () => stand.world.forms > asked + 2);
    assert.deepEqual((await schemaOf("small", "image"))?.enum, ["b:2"]);
    await first.close();
    await stand.start(config, { formEveryMs: 20 });
    assert.deepEqual((await schemaOf("small", "image"))?.enum, ["b:2"]);
    await assert.rejects(stand.order({ image: "a:1" }), refused("SPAWN_OPTIONS_INVALID", "image"));
  });

  it("are not held up by a backend that hangs, nor spoilt by one that answers nonsense", async () => {
    stand.world.form = (signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    await stand.start({}, { formWaitMs: 50 });
    assert.equal((await stand.profiles()).length, 1);
    await stand.order();
    await stand.rest("ready");
    stand.world.form = async () => ({ image: { enum: "b:2" as never } });
    await stand.start({ profiles: [entry({ fields: { image: true } })] }, { formEveryMs: 20 });
    await until("asked", () => stand.world.forms > 3);
    await stand.order({ image: "x:1" }, { serverName: "lab2" });
  });

  it("of a backend that offers nothing of a field now say so, and so does the order", async () => {
    stand.world.form = async () => ({ image: { enum: [] } });
    await stand.start({ profiles: [entry({ fields: { image: true } })] });
    assert.deepEqual((await schemaOf("small", "image"))?.enum, []);
    await assert.rejects(stand.order({ image: "a:1" }), (error: unknown) => {
      assert.match(String(error), /Image has nothing to choose from now/);
      return refused("SPAWN_OPTIONS_INVALID", "image")(error);
    });
  });

  it("with a field that nothing fits to begin with, have the user say it", async () => {
    await stand.start({ profiles: [entry({ fields: { image: { pattern: "^lab:" } } })] });
    assert.equal((await schemaOf("small", "image"))?.default, undefined);
    await assert.rejects(stand.order(), (error: unknown) => {
      assert.match(String(error), /Image must be given/);
      return refused("SPAWN_OPTIONS_INVALID", "image")(error);
    });
    await stand.order({ image: "lab:2" });
    await stand.rest("ready");
    assert.equal(stand.world.requests[0]?.options.image, "lab:2");
  });

  it("that are not configured any more are gone", async () => {
    const first = await stand.start({ profiles: [entry({}), entry({ slug: "old" })] });
    assert.equal((await stand.profiles()).length, 2);
    await first.close();
    await stand.start({ profiles: [entry({ title: "Little" })] });
    const [left, ...more] = await stand.profiles();
    assert.deepEqual([left?.title, more], ["Little", []]);
  });

  it("are written by one replica, also when another has another configuration", async () => {
    const first = await stand.start({ profiles: [entry({ title: "Mine" })] });
    await stand.start({ profiles: [entry({ title: "Yours" })] }, { formEveryMs: 20 });
    const documents = stand.store.collection(profiles);
    const before = await documents.get("small");
    const asked = stand.world.forms;
    await until("asked again", () => stand.world.forms > asked + 3);
    assert.deepEqual(await documents.get("small"), before);
    await first.close();
    await until("taken over", async () => (await documents.get("small"))?.title === "Yours");
  });
});

describe("a start with a profile", () => {
  const request = () => stand.world.requests.at(-1);

  it("gets configuration, then profile, then choices; and keeps what was chosen", async () => {
    const large = entry({
      slug: "large",
      options: { fixed: "by the profile", cores: 4 },
      fields: { ...image, cores: { maximum: 6 } },
    });
    await stand.start({ profiles: [entry({}), large] }, {}, [{ options: { fixed: "by the entry" } }]);
    await stand.order({ cores: 5 }, { profile: "large" });
    const { profile, options } = await stand.rest("ready");
    assert.deepEqual({ profile, options }, { profile: "large", options: { cores: 5 } });
    const { fixed, image: chosen, cores } = request()?.options ?? {};
    assert.deepEqual({ fixed, chosen, cores }, { fixed: "by the profile", chosen: "b:2", cores: 5 });

    await stand.orderStop();
    await stand.rest("stopped");
    await stand.order();
    const again = await stand.rest("ready");
    assert.deepEqual([again.profile, again.profileAsked, again.options], ["large", true, { cores: 5 }]);

    await stand.orderStop();
    await stand.rest("stopped");
    await stand.order({}, { profile: "small" });
    const other = await stand.rest("ready");
    assert.deepEqual([other.profile, other.options], ["small", {}]);
    assert.equal(request()?.options.fixed, "by the entry");
  });

  it("is refused by name of the field: unknown, not offered, wrong", async () => {
    await stand.start({ profiles: [entry({ fields: image })] });
    const wrong = (options: Record<string, unknown>) => stand.order(options);
    await assert.rejects(wrong({ imge: "a:1" }), refused("SPAWN_OPTIONS_INVALID", "imge"));
    await assert.rejects(wrong({ cores: 2 }), refused("SPAWN_OPTIONS_INVALID", "cores"));
    await assert.rejects(wrong({ image: "c:3" }), refused("SPAWN_OPTIONS_INVALID", "image"));
    await assert.rejects(wrong({ image: 1 }), refused("SPAWN_OPTIONS_INVALID", "image"));
    await assert.rejects(wrong({ image: null }), refused("SPAWN_OPTIONS_INVALID", "image"));
    await assert.rejects(wrong({ fixed: "mine" }), refused("SPAWN_OPTIONS_INVALID", "fixed"));
    await assert.rejects(stand.order({}, { profile: "none" }), refused("SPAWN_PROFILE_UNKNOWN", "profile"));
    assert.equal(await stand.doc(), undefined, "nothing is written");
    const create = { userId: USER._id, userName: USER.name, serverName: "lab2", actor: "user:u1" };
    await assert.rejects(
      stand.bus.request(SpawnCreate, { ...create, options: { image: "c:3" } }),
      refused("SPAWN_OPTIONS_INVALID", "image"),
    );
    await stand.bus.request(SpawnCreate, { ...create, profile: "small", options: { image: "a:1" } });
    assert.deepEqual((await stand.doc("lab2"))?.options, { image: "a:1" });
  });

  it("is offered to whom it is visible, by the owner's name and flag in the store", async () => {
    await stand.addUser({ _id: "u2", name: "grace", admin: true });
    const only = (slug: string, visibleTo: NonNullable<ProfileEntry["visibleTo"]>) =>
      entry({ slug, visibleTo });
    await stand.start({
      profiles: [only("admins", { admins: true }), only("ada", { users: ["Ada"] }), entry({ slug: "all" })],
    });
    const grace = { userId: "u2", userName: "grace" };
    await assert.rejects(stand.order({}, { profile: "admins" }), refused("SPAWN_PROFILE_UNKNOWN", "profile"));
    await assert.rejects(
      stand.order({}, { ...grace, profile: "ada" }),
      refused("SPAWN_PROFILE_UNKNOWN", "profile"),
    );
    await stand.order();
    assert.equal((await stand.doc())?.profile, "ada", "the first one that is offered");
    assert.equal((await stand.doc())?.profileAsked, false);
    const { serverId } = await stand.order({}, grace);
    assert.equal((await stand.servers.get(serverId))?.profile, "admins");
    await assert.rejects(stand.order({}, { userId: "nobody", userName: "ada" }), refused("USER_NOT_FOUND"));
  });

  it("of which nothing is offered to the user is refused", async () => {
    await stand.start({ profiles: [entry({ visibleTo: { admins: true } })] });
    await assert.rejects(stand.order(), refused("SPAWN_PROFILE_UNKNOWN", "profile"));
  });

  it("whose last choice is not offered any more takes the default and says so; said anew, it is refused", async () => {
    const before = entry({ fields: { image: { enum: ["a:1", "b:2"] }, cores: true } });
    const after = entry({ fields: { image: { enum: ["b:2"] }, cores: true } });
    const first = await stand.start({ profiles: [before] });
    await stand.order({ image: "a:1", cores: 2 });
    await stand.rest("ready");
    await stand.orderStop();
    await stand.rest("stopped");
    await first.close();
    await stand.start({ profiles: [after] });
    await assert.rejects(stand.order({ image: "a:1", cores: 2 }), refused("SPAWN_OPTIONS_INVALID", "image"));
    await stand.order();
    const ready = await stand.rest("ready");
    assert.deepEqual(ready.options, { cores: 2 });
    assert.equal(request()?.options.image, "b:2");
    const told = (await stand.attempt(2)).steps.find(({ step }) => step === "choices");
    assert.match(told?.message ?? "", /^Not offered any more as you chose it last: Image;/);
  });

  it("whose last profile is gone or hidden goes to the default one and says so", async () => {
    const first = await stand.start({ profiles: [entry({ slug: "old", fields: { cores: true } })] });
    await stand.order({ cores: 2 });
    await stand.rest("ready");
    await stand.orderStop();
    await stand.rest("stopped");
    await first.close();
    await stand.start({ profiles: [entry({}), entry({ slug: "old", visibleTo: { admins: true } })] });
    await stand.order();
    const { profile, options } = await stand.rest("ready");
    assert.deepEqual({ profile, options }, { profile: "small", options: {} });
    assert.ok((await stand.attempt(2)).names.includes("choices"));
  });

  it("that waits for the end of the one before goes to the profile's spawner", async () => {
    const there = entry({ slug: "there", spawner: "other", fields: { cores: true } });
    await stand.start({ profiles: [entry({ fields: { ignoresStop: true } }), there] }, {}, ["mock", "other"]);
    await stand.order({ ignoresStop: true });
    const { tag } = await stand.rest("ready");
    await stand.orderStop();
    await stand.reachPhase("stopping");
    await stand.order({ cores: 3 }, { profile: "there" });
    stand.world.end(tag);
    const ready = await stand.reach("is there", (doc) => doc.phase === "ready" && doc.generation === 2);
    assert.deepEqual([ready.backend, ready.profile, ready.options], ["other", "there", { cores: 3 }]);
  });
});

describe("a spawner of several", () => {
  it("has command, environment and clocks of its own", async () => {
    await stand.start({ args: ["--debug"], environment: { A: "1", B: "1" }, bootSeconds: 50 }, {}, [
      "mock",
      {
        name: "other",
        command: ["wrapper", "jupyterhub-singleuser"],
        environment: { B: "2" },
        clocks: { bootSeconds: 500, submitSeconds: 200, stopSeconds: 300 },
      },
    ]);
    const left = async () => {
      const { deadlineAt } = (await stand.doc()) ?? {};
      return Math.ceil((Date.parse(deadlineAt ?? "") - stand.clock.now()) / 50_000) * 50;
    };
    await stand.order({ homeless: true });
    await stand.reachPhase("starting");
    assert.equal(await left(), 50);
    assert.deepEqual(stand.world.requests[0]?.argv, ["jupyterhub-singleuser", "--debug"]);
    await stand.orderStop();
    await stand.rest("stopped");

    await stand.order({ homeless: true, ignoresStop: true, submitMs: -1 }, { profile: "other" });
    await until("submits", () => stand.world.waitingSubmits > 0);
    assert.equal(await left(), 200);
    stand.world.finishSubmits();
    const { tag } = await stand.reachPhase("starting");
    assert.equal(await left(), 500);
    const [, request] = stand.world.requests;
    assert.deepEqual(request?.argv, ["wrapper", "jupyterhub-singleuser", "--debug"]);
    assert.deepEqual([request?.env.A, request?.env.B], ["1", "2"]);
    await stand.orderStop();
    assert.equal(await left(), 300);
    stand.world.end(tag);
  });

  it("may say where its servers reach the hub, and that is kept", async () => {
    stand.world.apiUrl = async () => "http://172.18.0.1:8081/hub/api/";
    await stand.start();
    await stand.order();
    const { apiUrl } = await stand.rest("ready");
    assert.equal(apiUrl, "http://172.18.0.1:8081/hub/api");
    const { env } = stand.world.requests[0] ?? {};
    assert.equal(env?.JUPYTERHUB_API_URL, apiUrl);
    assert.equal(env?.JUPYTERHUB_ACTIVITY_URL, `${apiUrl}/users/ada/activity`);
    await stand.orderStop();
    await stand.rest("stopped");
    stand.world.apiUrl = async () => {
      throw new HubError("MOCK_DOWN", { message: "The engine is down.", status: 503, operator: "Start it." });
    };
    await stand.order();
    assert.equal((await stand.rest("failed")).cause.message, "The engine is down.");
    assert.equal(stand.grants.size, 0);
  });
});
