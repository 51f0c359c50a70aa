import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ERRORS, type Server } from "@elara/contracts";
import { startHub, type TestHub } from "./fixtures/hub.ts";

const at = (second: number): string => `2026-11-22T12:00:0${second}.000Z`;

describe("pages of a server that waits, or of which nobody knows", () => {
  let hub: TestHub;
  let server: Server;
  before(async () => {
    hub = await startHub();
    await hub.people.user("ada");
    await hub.people.profile("node", { title: "Compute node", backend: "slurm" });
    server = await hub.people.server("ada", { profile: "node", backend: "slurm" });
  });
  after(() => hub.close());

  const set = (fields: Partial<Server>) =>
    hub.people.changeServer(server._id, {
      desired: "running",
      routed: false,
      phaseBefore: "",
      reason: "",
      ...fields,
    });
  const page = async (path: string) => (await hub.browser("ada", path)).body.replaceAll(/\s+/g, " ");
  const pending = () => page("/hub/spawn-pending/ada");
  const home = () => page("/hub/home");

  it("queued: the reason, with its moments as times, since when, and a way to cancel", async () => {
    await set({
      phase: "queued",
      phaseAt: at(3),
      reason: "Priority <1>; expected start 2026-11-23T07:40:00Z, or later",
    });
    const step = { at: at(3), step: "queued", progress: 15 };
    await hub.people.steps(server, [
      { ...step, message: "Waiting in the queue: until 2026-11-23 07:40 UTC" },
    ]);
    const body = await pending();
    assert.match(body, /<small>until <time datetime="2026-11-23T07:40Z">[^<]*<\/time><\/small>/);
    assert.match(body, /<h1 id="heading">Your server waits in the queue/);
    assert.match(body, /id="state" class="notice notice--queued">/);
    assert.match(
      body,
      /Priority &lt;1&gt;; expected start <time datetime="2026-11-23T07:40:00Z">2026-11-23T07:40:00Z<\/time>, or later/,
    );
    assert.match(body, /Since <time id="state-since" datetime="2026-11-22T12:00:03\.000Z"/);
    assert.match(body, /action="\/hub\/stop\/ada".*Cancel the start/);
    assert.match(await home(), /notice--pending" id="state">.*Priority &lt;1&gt;/);
  });

  it("queued for no reason that is told: it waits for its turn", async () => {
    await set({ phase: "queued" });
    assert.match(await pending(), /<p id="state-words">It waits for its turn\.<\/p>/);
  });

  it("unknown while it starts: why, and that nothing is lost", async () => {
    await set({ phase: "unknown", phaseBefore: "starting", phaseAt: at(5), reason: "The scheduler hangs." });
    const body = await pending();
    assert.match(body, /class="status status--unknown">Not answering/);
    assert.match(body, /Nothing is lost.*The scheduler hangs\..*12:00:05/);
    assert.match(await home(), /Not answering.*Nothing is lost.*The scheduler hangs\..*Watch it start/);
  });

  it("wanted again while nobody says what the last start left: why, and none of its steps", async () => {
    const step = { at: at(1), step: "connecting", progress: 12, message: "Connecting to login1" };
    await hub.people.steps(server, [step]);
    await set({ phase: "starting" });
    assert.match(await pending(), /Connecting to login1/);
    await set({ phase: "failed", reason: "login2 does not answer at the moment." });
    const body = await pending();
    assert.match(body, /Your server waits for its last start.*login2 does not answer at the moment\./);
    assert.doesNotMatch(body, /Connecting to login1/);
  });

  it("says nothing twice when the backend gave no reason", async () => {
    await set({ phase: "unknown", phaseBefore: "starting", reason: ERRORS.SPAWN_BACKEND_AWAY.user });
    assert.equal((await pending()).match(/Nothing is lost/g)?.length, 1);
    assert.equal((await home()).match(/Nothing is lost/g)?.length, 1);
  });

  it("starting plainly: no notice is seen", async () => {
    await set({ phase: "starting" });
    assert.match(await pending(), /id="state" class="notice notice--starting" hidden>/);
  });

  it("unknown after it was ready: it may be opened, and home says why nobody knows", async () => {
    await set({ phase: "unknown", phaseBefore: "ready", routed: true, reason: "The host is away." });
    const body = await home();
    assert.match(body, /Nothing is lost: your server is kept.*The host is away\..*My server/);
    assert.equal((await hub.browser("ada", "/hub/spawn-pending/ada")).headers.location, "/user/ada/");
  });

  it("shows what was chosen, where it runs and when it ends, while it runs", async () => {
    await set({ phase: "ready", routed: true, endsAt: "2026-11-22T20:00:00.000Z" });
    const body = await home();
    assert.match(body, /<dt>Profile<\/dt><dd>Compute node<\/dd><dt>Runs on<\/dt><dd>slurm<\/dd>/);
    assert.match(body, /<dt>Ends<\/dt><dd><time datetime="2026-11-22T20:00:00Z"/);
    await set({ phase: "stopped", desired: "stopped" });
    assert.doesNotMatch(await home(), /Runs on|<dt>Ends/);
  });

  it("replaces lines of one step by the next one, and marks what goes on", async () => {
    const pull = (percent: number, second: number) => ({
      at: at(second),
      step: "pulling",
      message: `Pulling the image: ${percent} %`,
      progress: percent,
    });
    const requested = { at: at(0), step: "requested", message: "Server requested", progress: 0 };
    await set({ phase: "requested" });
    await hub.people.steps(server, [requested, pull(3, 1), pull(9, 2), pull(60, 3)]);
    const body = await pending();
    assert.deepEqual(body.match(/Pulling the image: \d+ %/g), ["Pulling the image: 60 %"]);
    assert.match(body, /<li class="now" data-step="pulling">/);
    assert.doesNotMatch(body, /class="todo now"/);
    const started = { at: at(4), step: "process_started", message: "Process started", progress: 50 };
    const environment = { ...requested, step: "environment", message: "Environment prepared" };
    await hub.people.steps(server, [requested, environment, pull(60, 3), started]);
    const later = await pending();
    assert.match(
      later,
      /<li class="done" data-step="pulling">.*<li class="todo now" data-todo="port_answers">/,
    );
  });
});
