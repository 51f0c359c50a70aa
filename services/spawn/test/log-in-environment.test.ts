import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Stand } from "./stand.ts";

describe("what the owner's log-in brings along", () => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await Stand.open();
    await stand.start();
  });
  afterEach(() => stand.close());

  const environment = (): Readonly<Record<string, string>> => stand.world.made.at(-1)?.env ?? {};

  it("stands in the server's environment, under the hub's own names and what is configured", async () => {
    stand.logIn = JSON.stringify({ GLOBUS_DATA: "a-token", JUPYTERHUB_USER: "mallory", JPY_API_TOKEN: "x" });
    await stand.order();
    await stand.rest("ready");
    const { GLOBUS_DATA, JUPYTERHUB_USER, JPY_API_TOKEN, JUPYTERHUB_API_TOKEN } = environment();
    assert.equal(GLOBUS_DATA, "a-token");
    assert.equal(JUPYTERHUB_USER, "ada");
    assert.equal(JPY_API_TOKEN, JUPYTERHUB_API_TOKEN);
  });

  it("is asked for anew at each start, and is in no document, event or step of it", async () => {
    for (const token of ["first-token", "second-token"]) {
      stand.logIn = JSON.stringify({ TOKEN: token });
      await stand.order();
      await stand.rest("ready");
      assert.equal(environment().TOKEN, token);
      await stand.orderStop();
      await stand.rest("stopped");
    }
    const { items } = await stand.servers.find();
    const everything = JSON.stringify([items, stand.events, await stand.attempt()]);
    assert.ok(!/first-token|second-token/.test(everything));
  });

  it("auth away: the start waits, visibly, and goes on", async () => {
    stand.logInRefusal = "BUS_TIMEOUT";
    await stand.order();
    await stand.reach("waits", ({ clockLeftMs = 0 }) => clockLeftMs > 0);
    stand.clock.advance(100);
    stand.logInRefusal = "";
    await stand.rest("ready");
    assert.equal(stand.world.made.length, 1);
  });

  it("what auth refuses is told as the cause, and leaves no grant", async () => {
    stand.logInRefusal = "AUTH_PRE_SPAWN_FAILED";
    await stand.order();
    const { cause } = await stand.rest("failed");
    assert.equal(cause.code, "AUTH_PRE_SPAWN_FAILED");
    assert.match(cause.message, /Log out and in again/);
    assert.equal(stand.world.made.length, 0);
    assert.equal(stand.grants.size, 0);
  });

  it("an answer that is no environment starts nothing", async () => {
    stand.logIn = JSON.stringify({ COUNT: 1 });
    await stand.order();
    assert.equal((await stand.rest("failed")).cause.code, "AUTH_PRE_SPAWN_FAILED");
  });
});
