import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { codeOf } from "@elara/contracts";
import { PluginError, type Spawner, type SpawnRequest, spawnerPlugin, Type, wrapSpawner } from "@elara/sdk";
import { checkCall, newTag, testHost } from "@elara/sdk/testing";

const handle = Type.Object({ v: Type.Integer() });
const options = Type.Object(
  {
    image: Type.String({ default: "a:1", minLength: 1, userChoice: true }),
    volumes: Type.Array(Type.String(), { default: ["home"] }),
    engine: Type.String({ default: "/run/engine.sock" }),
  },
  { additionalProperties: false },
);

/** A plugin that keeps what it is called with. Its spawner has methods that need their `this`. */
function recorder() {
  const calls: { of: string; given: unknown }[] = [];
  class Recording {
    readonly #handle = { v: 1 };
    start(request: SpawnRequest<unknown>) {
      calls.push({ of: "start", given: request });
      return Promise.resolve(this.#handle);
    }
    async observe() {
      return { complete: this.#handle.v === 1, rows: [] };
    }
    async stop() {
      calls.push({ of: "stop", given: this.#handle });
    }
    async locate() {
      return this.#handle;
    }
    async logs() {
      return [`version ${this.#handle.v}`];
    }
    async form() {
      return { image: { enum: ["a:1", `b:${this.#handle.v}`] } };
    }
  }
  const plugin = spawnerPlugin({
    name: "box",
    options,
    handle,
    errors: { BOX_FULL: { status: 503, user: "Full.", operator: "Full." } },
    observeMs: { moving: 1, resting: 2 },
    clocks: { submitSeconds: 120 },
    setup: (configured): Spawner<unknown, { v: number }> => {
      calls.push({ of: "setup", given: configured });
      return new Recording();
    },
  });
  return { calls, plugin };
}

const requestOf = <O>(options: O): SpawnRequest<O> => ({
  tag: newTag(),
  user: { id: "u1", name: "ada" },
  server: "",
  options,
  argv: ["jupyterhub-singleuser"],
  env: { JUPYTERHUB_USER: "ada" },
  servicePrefix: "/user/ada/",
});
const call = { signal: new AbortController().signal, progress: () => {} };

describe("a wrapped spawner", () => {
  test("has options of its own, changes the request, and hands on what the other one knows", async (t) => {
    const { calls, plugin } = recorder();
    const wrapped = wrapSpawner(plugin, {
      name: "data",
      options: {
        dataset: Type.Union([Type.Literal("none"), Type.Literal("climate")], {
          default: "none",
          userChoice: true,
        }),
      },
      request: ({ options, env, argv }) => ({
        ...{ tag: "another" },
        argv: [...argv, "--debug"],
        env: { ...env, DATASET: options.dataset },
        options: { ...options, volumes: [...options.volumes, options.dataset] },
      }),
    });
    assert.deepEqual([wrapped.kind, wrapped.name, wrapped.wraps], ["spawner", "data", "box"]);
    assert.deepEqual(Object.keys(wrapped.options.properties), ["image", "volumes", "engine", "dataset"]);
    const { additionalProperties, required } = JSON.parse(JSON.stringify(wrapped.options));
    assert.deepEqual([additionalProperties, required], [false, ["image", "volumes", "engine", "dataset"]]);
    assert.equal(wrapped.errors, plugin.errors);
    assert.deepEqual(wrapped.observeMs, plugin.observeMs);
    assert.deepEqual(wrapped.clocks, plugin.clocks);

    const host = testHost();
    t.after(() => host.close());
    const configured = { image: "a:1", volumes: ["home"], engine: "/e", dataset: "none" as const };
    const spawner = await wrapped.setup(configured, host);
    const request = requestOf({ ...configured, dataset: "climate" as const });
    assert.deepEqual(await spawner.start(request, call), { v: 1 });
    assert.deepEqual(calls, [
      { of: "setup", given: { image: "a:1", volumes: ["home"], engine: "/e", dataset: "none" } },
      {
        of: "start",
        given: {
          ...request,
          argv: ["jupyterhub-singleuser", "--debug"],
          env: { JUPYTERHUB_USER: "ada", DATASET: "climate" },
          options: { image: "a:1", volumes: ["home", "climate"], engine: "/e", dataset: "climate" },
        },
      },
    ]);
    assert.equal((await spawner.observe([], call)).complete, true);
    assert.deepEqual(await spawner.locate(request, call), { v: 1 });
    assert.deepEqual(await spawner.logs?.({ ...request, handle: { v: 1 }, url: "" }, { lines: 1, ...call }), [
      "version 1",
    ]);
    assert.deepEqual((await spawner.form?.(call))?.image?.enum, ["a:1", "b:1"]);
    assert.equal(await spawner.check?.(...checkCall()), undefined);
    assert.equal(spawner.checkOptions, undefined);
    assert.equal((await wrapSpawner(plugin, {}).setup(configured, host)).check, undefined);
  });

  /** Takes images of its list only. */
  const picky = () => {
    const { calls, plugin } = recorder();
    const errors = { BOX_IMAGE: { status: 400, user: "Not this one.", operator: "Not in the list." } };
    const setup: typeof plugin.setup = async (configured, host) => ({
      ...(await plugin.setup(configured, host)),
      start: async (request) => {
        calls.push({ of: "start", given: request });
        return { v: 1 };
      },
      async check() {
        calls.push({ of: "check", given: undefined });
        return "the engine answers";
      },
      async checkOptions({ image }) {
        if (!image.startsWith("a:")) throw new PluginError(errors, "BOX_IMAGE", { field: "image" });
      },
    });
    return { calls, plugin: spawnerPlugin({ ...plugin, errors, setup }) };
  };
  const refused = { code: "BOX_IMAGE", field: "image" };

  test("is held to the rules of the other one: before a start, and again by what its request makes of it", async (t) => {
    const { calls, plugin } = picky();
    const host = testHost();
    t.after(() => host.close());
    const given = (image: string) => ({ image, volumes: [], engine: "/e" });
    const plain = await wrapSpawner(plugin, {}).setup(given("a:1"), host);
    await assert.rejects(async () => plain.checkOptions?.(given("b:1"), call), refused);
    await plain.checkOptions?.(given("a:2"), call);

    const short = wrapSpawner(plugin, {
      options: { image: Type.String({ default: "one" }) },
      request: ({ options }) => ({
        options: { ...options, image: options.image === "one" ? "a:1" : "b:1" },
      }),
    });
    const spawner = await short.setup(given("one"), host);
    assert.equal(await spawner.check?.(...checkCall()), "the engine answers");
    await assert.rejects(async () => spawner.start(requestOf(given("two")), call), refused);
    const wrong = await short.setup(given("two"), host);
    await assert.rejects(async () => wrong.check?.(...checkCall()), refused);
    assert.ok(!calls.some(({ of }) => of === "start"));
  });

  test("has its request tried once by its check: a fault in it is told, a refusal of that user is none", async (t) => {
    const { plugin } = picky();
    const host = testHost();
    t.after(() => host.close());
    const configured = { image: "a:1", volumes: [], engine: "/e" };
    const of = (request: () => never) =>
      wrapSpawner(plugin, { name: "mine", request }).setup(configured, host);
    const faulty = await of(() => {
      throw new TypeError("env is no list");
    });
    await assert.rejects(async () => faulty.check?.(...checkCall()), {
      code: "PLUGIN_INVALID",
      operator: /`request` of the spawner "mine" fails for a sample user: env is no list/,
    });
    const strict = await of(() => {
      throw new PluginError({}, "MINE_NOT_YOU");
    });
    assert.match(
      String(await strict.check?.(...checkCall())),
      /refuses a sample user: MINE_NOT_YOU; the engine answers/,
    );
  });

  test("may take the place of an option; what the other one would not take is told, not handed on", async (t) => {
    const { calls, plugin } = recorder();
    const wrapped = wrapSpawner(plugin, {
      options: { image: Type.String({ default: "" }) },
      request: () => ({}),
    });
    assert.equal(wrapped.name, "box");
    const twice = wrapSpawner(wrapped, { name: "outer" });
    assert.equal(twice.wraps, "box");
    const host = testHost();
    t.after(() => host.close());
    const spawner = await twice.setup({ image: "b:2", volumes: [], engine: "/e" }, host);
    await assert.rejects(
      async () => spawner.start(requestOf({ image: "", volumes: [], engine: "/e" }), call),
      (error: unknown) => {
        assert.equal(codeOf(error), "PLUGIN_INVALID");
        assert.match(String(Object(error).operator), /"box" wraps "box".*image must/);
        return true;
      },
    );
    assert.deepEqual(
      calls.map(({ of }) => of),
      ["setup"],
    );
  });

  test("may give an option another type: set-up sees its own default, starts what it is translated to", async (t) => {
    const { calls, plugin } = recorder();
    const volumes = Type.Union([Type.Literal("none"), Type.Literal("home")], { default: "none" });
    const wrapped = wrapSpawner(plugin, {
      options: { volumes, engine: Type.String({ default: "/other" }) },
      request: ({ options }) => ({
        options: { ...options, volumes: options.volumes === "none" ? [] : [options.volumes] },
      }),
    });
    const host = testHost();
    t.after(() => host.close());
    const configured = { image: "a:1", volumes: "none" as const, engine: "/other" };
    const spawner = await wrapped.setup(configured, host);
    await spawner.start(requestOf(configured), call);
    assert.deepEqual(
      calls.map(({ of, given }) => [of, Object(given).options ?? given]),
      [
        ["setup", { image: "a:1", volumes: ["home"], engine: "/other" }],
        ["start", { image: "a:1", volumes: [], engine: "/other" }],
      ],
    );
  });

  test("but not one that the other one needs at set-up and has no default for: told with what to do", async (t) => {
    const plugin = spawnerPlugin({
      ...{ name: "box", handle, errors: {} },
      options: Type.Object({ images: Type.Array(Type.String()) }),
      setup: () => assert.fail("is not set up"),
    });
    const wrapped = wrapSpawner(plugin, { options: { images: Type.String({ default: "a b" }) } });
    const host = testHost();
    t.after(() => host.close());
    await assert.rejects(
      async () => wrapped.setup({ images: "a b" }, host),
      (error: unknown) => {
        assert.equal(codeOf(error), "PLUGIN_INVALID");
        assert.match(String(Object(error).operator), /images must be array.*keep its type/);
        return true;
      },
    );
  });
});
