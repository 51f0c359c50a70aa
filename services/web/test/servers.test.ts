import assert from "node:assert/strict";
import { after, beforeEach, describe, it } from "node:test";
import { HubError, SpawnStop, servers } from "@elara/contracts";
import { startHub, type TestHub } from "./fixtures/hub.ts";
import { type SpawnStandIn, spawnStandIn } from "./fixtures/spawn.ts";

describe("starting and stopping over the API", () => {
  let hub: TestHub;
  let spawn: SpawnStandIn;
  const opened: TestHub[] = [];
  beforeEach(async () => {
    hub = await startHub({ config: { slowSpawnSeconds: 0.5, slowStopSeconds: 2 } });
    opened.push(hub);
    spawn = spawnStandIn(hub);
    await hub.people.user("root", { admin: true });
    await hub.people.user("ada");
  });
  after(() => Promise.all(opened.map((each) => each.close())));

  const server = "/hub/api/users/ada/server";
  const start = (payload?: object) =>
    hub.api("ada", { method: "POST", url: server, ...(payload ? { payload } : {}) });

  it("answers 201 without a body once the server is ready", async () => {
    const answer = await start({ user_options: { image: "x" } });
    assert.deepEqual([answer.statusCode, answer.body], [201, ""]);
    assert.match(String(answer.headers["content-type"]), /^text\/plain/);
    assert.equal(spawn.starts[0]?.userName, "ada");
    assert.deepEqual(spawn.starts[0]?.options, { image: "x" });
    assert.match(spawn.starts[0]?.actor ?? "", /^user:[a-z0-9]+$/);
  });

  it("takes a body without known keys whole as options", async () => {
    await start({ image: "x" });
    assert.deepEqual(spawn.starts[0]?.options, { image: "x" });
    assert.equal(spawn.starts[0]?.profile, undefined);
  });

  it("splits the profile off, wherever it stands", async () => {
    const bodies = [
      { profile: "small", cores: 2 },
      { user_options: { profile: "small", cores: 2 } },
      { profile: "small", user_options: { cores: 2 } },
      { display_name: "Mine", profile: "small", user_options: { cores: 2 } },
    ];
    for (const body of bodies) {
      await start(body);
      const { profile, options } = spawn.starts.at(-1) ?? {};
      assert.deepEqual([profile, options], ["small", { cores: 2 }], JSON.stringify(body));
      await hub.api("ada", { method: "DELETE", url: server });
    }
    await start({ profile: "small" });
    assert.deepEqual(spawn.starts.at(-1)?.options, {}, "a profile alone means its defaults");
    const model = (await hub.api("ada", { url: server })).json();
    assert.deepEqual(model.user_options, { profile: "small" });
    const wrong = await start({ profile: 7 });
    assert.deepEqual([wrong.statusCode, wrong.json().field], [400, "profile"]);
  });

  it("makes a record with its profile and options", async () => {
    const url = "/hub/api/users/ada/servers/lab2";
    const payload = { user_options: { profile: "small", cores: 2 } };
    const made = await hub.api("ada", { method: "PUT", url, payload });
    assert.deepEqual(made.json().user_options, { profile: "small", cores: 2 });
  });

  it("names the field that spawn refuses", async () => {
    spawn.refusal = new HubError("SPAWN_OPTIONS_INVALID", { message: "Too much.", field: "cores" });
    const answer = await start({ profile: "small", cores: 200 });
    assert.deepEqual(answer.json(), {
      status: 400,
      message: "Too much.",
      code: "SPAWN_OPTIONS_INVALID",
      field: "cores",
    });
  });

  it("tells all that is wrong with options at once, in the words of the spawn form", async () => {
    const [cores, gpu] = [{ type: "integer", minimum: 1, maximum: 4 }, { type: "boolean" }];
    const field = (name: string, schema: object) => ({
      name,
      title: name,
      description: "",
      schema: { ...schema },
    });
    await hub.people.profile("first");
    await hub.people.profile("small", { fields: [field("Cores", cores), field("GPU", gpu)] });
    const wrong = await start({ profile: "small", GPU: "perhaps", Cores: 9 });
    assert.deepEqual(wrong.json(), {
      status: 400,
      message: "Cores must be a whole number from 1 to 4. GPU must be true or false.",
      code: "SPAWN_OPTIONS_INVALID",
      field: "Cores",
    });
    const url = "/hub/api/users/ada/servers/lab2";
    const made = await hub.api("ada", {
      method: "PUT",
      url,
      payload: { user_options: { profile: "small", Cores: 0 } },
    });
    assert.deepEqual([made.statusCode, made.json().field], [400, "Cores"]);
    assert.equal(spawn.starts.length, 0);

    await start({ profile: "small", Cores: 2 });
    await hub.api("ada", { method: "DELETE", url: server });
    assert.equal(
      (await start({ Cores: 9 })).json().field,
      "Cores",
      "without a profile the last one is meant",
    );
    assert.notEqual(
      (await start({ profile: "first", Cores: 9 })).statusCode,
      400,
      "whether it may be chosen is the order's",
    );
  });

  it("shows why a server is as it is and when it ends", async () => {
    await start();
    const { _id } = (await hub.store.collection(servers).find({ where: {}, limit: 1 })).items[0] ?? {};
    await hub.people.changeServer(_id ?? "", {
      phase: "unknown",
      phaseBefore: "ready",
      reason: "host away",
      endsAt: "2026-11-22T20:00:00.000Z",
    });
    const model = (await hub.api("ada", { url: server })).json();
    assert.deepEqual(
      [model.pending, model.reason, model.ends_at],
      ["check", "host away", "2026-11-22T20:00:00Z"],
    );
  });

  it("orders the last options anew when there is no body", async () => {
    await start();
    assert.equal(spawn.starts[0]?.options, undefined);
  });

  it("answers 202 when it takes longer, and again for a second start", async () => {
    spawn.fate = "stays pending";
    assert.equal((await start()).statusCode, 202);
    const model = (await hub.api("ada", { url: server })).json();
    assert.deepEqual([model.pending, model.ready, model.stopped], ["spawn", false, false]);
    assert.equal((await start()).statusCode, 202);
  });

  it("tells the cause of a start that fails within that time", async () => {
    spawn.fate = "fails";
    const answer = await start();
    assert.equal(answer.statusCode, 500);
    assert.equal(answer.json().code, "SPAWN_ENDED");
    assert.equal(answer.json().message, "Your server ended before it was ready.");
  });

  it("answers a failed start with the status of the plugin's error", async () => {
    spawn.fate = "fails";
    spawn.cause = { code: "DEMO_NO_ACCOUNT", message: "You have no account.", status: 403 };
    const answer = await start();
    assert.deepEqual([answer.statusCode, answer.json().message], [403, "You have no account."]);
  });

  it("refuses to start what runs", async () => {
    await start();
    const answer = await start();
    assert.deepEqual([answer.statusCode, answer.json().message], [400, "ada: is already running"]);
  });

  it("passes spawn's refusals on", async () => {
    spawn.fate = "is refused";
    const answer = await hub.api("ada", { method: "POST", url: "/hub/api/users/ada/servers/lab2" });
    assert.deepEqual([answer.statusCode, answer.json().message], [400, "Named servers are not enabled."]);
  });

  it("refuses names that are no server names, before anything is ordered", async () => {
    for (const name of ["UPPER", "under_score", "-lead", "two--dashes", "sp%20ace", "x".repeat(80), "end-"]) {
      const answer = await hub.api("ada", { method: "POST", url: `/hub/api/users/ada/servers/${name}` });
      assert.equal(answer.statusCode, 400, name);
      assert.match(answer.json().message, /^Invalid server_name: /);
    }
    assert.equal(spawn.starts.length, 0);
  });

  it("refuses wrong bodies in JupyterHub's words", async () => {
    const message = async (payload: unknown) =>
      (
        await hub.api("ada", {
          method: "POST",
          url: server,
          payload: JSON.stringify(payload),
          headers: { "content-type": "application/json" },
        })
      ).json().message;
    assert.equal(await message(["x"]), "Body must be a JSON object");
    assert.equal(await message({ display_name: 7 }), "display_name must be a string");
    assert.equal(await message({ user_options: "big" }), "user_options must be an object or null");
  });

  it("stops with 204, also what does not run", async () => {
    assert.equal((await hub.api("ada", { method: "DELETE", url: server })).statusCode, 204);
    await start();
    const answer = await hub.api("ada", { method: "DELETE", url: server });
    assert.deepEqual([answer.statusCode, answer.body], [204, ""]);
    assert.equal(spawn.stops[0]?.reason, "user");
    assert.equal(typeof spawn.stoppedGenerations[0], "number", "the stop names what was read");
    await start();
    await hub.api("root", { method: "DELETE", url: server });
    assert.equal(spawn.stops[1]?.reason, "admin");
  });

  it("creates, starts and removes a named server", async () => {
    const url = "/hub/api/users/ada/servers/lab2";
    const created = await hub.api("ada", { method: "PUT", url, payload: { display_name: "My lab" } });
    assert.equal(created.statusCode, 201);
    assert.deepEqual([created.json().display_name, created.json().stopped], ["My lab", true]);
    assert.equal((await hub.api("ada", { method: "PUT", url })).statusCode, 409);
    assert.equal((await hub.api("ada", { method: "POST", url })).statusCode, 201);
    const removed = await hub.api("ada", { method: "DELETE", url, payload: { remove: true } });
    assert.equal(removed.statusCode, 204);
    const again = await hub.api("ada", { method: "DELETE", url });
    assert.deepEqual([again.statusCode, again.json().message], [404, "ada has no server named 'lab2'"]);
  });

  it("never removes the default server", async () => {
    const answer = await hub.api("ada", { method: "DELETE", url: server, payload: { remove: true } });
    assert.deepEqual([answer.statusCode, answer.json().message], [400, "Cannot delete the default server"]);
  });

  it("does not know servers of nobody", async () => {
    for (const method of ["POST", "DELETE", "GET"] as const) {
      const answer = await hub.api("root", { method, url: "/hub/api/users/nobody/server" });
      assert.equal(answer.statusCode, 404);
    }
    assert.equal(
      (await hub.api("ada", { method: "POST", url: "/hub/api/users/root/server" })).statusCode,
      404,
    );
  });
});

describe("a stop", () => {
  it("is answered when the server rests: until then its token is good", async (t) => {
    const hub = await startHub();
    t.after(() => hub.close());
    await hub.people.user("ada");
    const server = await hub.people.server("ada");
    hub.bus.reply(SpawnStop, async () => {
      await hub.people.changeServer(server._id, { phase: "stopped", desired: "stopped", inMotion: true });
      return { serverId: server._id, generation: server.generation, stopped: true };
    });
    let isAnswered = false;
    const answer = hub.api("ada", { method: "DELETE", url: "/hub/api/users/ada/server" }).then((got) => {
      isAnswered = true;
      return got;
    });
    const end = performance.now() + 300;
    while (performance.now() < end) await new Promise(setImmediate);
    assert.equal(isAnswered, false);
    await hub.people.changeServer(server._id, { inMotion: false });
    assert.equal((await answer).statusCode, 204);
  });
});

describe("orders while nobody takes them", () => {
  it("fail within two seconds with 503 and Retry-After, while reading goes on", async (t) => {
    const hub = await startHub();
    t.after(() => hub.close());
    await hub.people.user("ada");
    const began = performance.now();
    const answer = await hub.api("ada", { method: "POST", url: "/hub/api/users/ada/server" });
    assert.ok(performance.now() - began < 2500);
    assert.equal(answer.statusCode, 503);
    assert.ok(Number(answer.headers["retry-after"]) >= 1);
    assert.match(answer.json().code, /^BUS_/);
    assert.equal((await hub.api("ada", { url: "/hub/api/user" })).statusCode, 200);
  });
});
