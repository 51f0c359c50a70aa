import assert from "node:assert/strict";
import { after, beforeEach, describe, it } from "node:test";
import { HubError } from "@elara/contracts";
import { startHub, type TestHub } from "./fixtures/hub.ts";
import { type SpawnStandIn, spawnStandIn } from "./fixtures/spawn.ts";

const cores = {
  name: "cores",
  title: "Cores",
  description: "How many <b>cores</b>.",
  schema: { type: "integer", minimum: 1, maximum: 8, default: 2 },
};
const hours = {
  name: "hours",
  title: "Time",
  description: "Hours and minutes, such as 02:00",
  schema: { type: "string", pattern: "^[0-9]+:[0-9]{2}$", default: "01:00" },
};
const account = {
  name: "account",
  title: "Project",
  description: "",
  schema: { type: "string", pattern: "^[a-z]+$" },
};
const note = { name: "note", title: "Note", description: "", schema: { type: "string", default: "" } };

describe("the spawn form", () => {
  let hub: TestHub;
  let spawn: SpawnStandIn;
  const opened: TestHub[] = [];
  beforeEach(async () => {
    hub = await startHub();
    opened.push(hub);
    spawn = spawnStandIn(hub);
    await hub.people.user("root", { admin: true });
    await hub.people.user("ada");
    await hub.people.user("bob");
  });
  after(() => Promise.all(opened.map((each) => each.close())));

  const twoProfiles = async () => {
    await hub.people.profile("small", { title: "Small & quick", fields: [cores] });
    await hub.people.profile("large", { title: "Large", backend: "slurm" });
    await hub.people.profile("secret", {
      title: "Secret",
      visibleTo: { everyone: false, users: ["bob"], admins: true },
    });
  };
  const open = (user: string, url = "/hub/spawn") => hub.browser(user, url);
  /** Sends the form as the browser of this user does. */
  const send = async (
    user: string,
    fields: Record<string, string> | [string, string][],
    url = `/hub/spawn/${user}`,
  ) => {
    const home = await open(user, "/hub/home");
    const xsrf = String(home.headers["set-cookie"]).split(";")[0]?.replace("_xsrf=", "") ?? "";
    return hub.browser(user, {
      method: "POST",
      url,
      payload: new URLSearchParams([
        ...(Array.isArray(fields) ? fields : Object.entries(fields)),
        ["_xsrf", decodeURIComponent(xsrf)],
      ]).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        cookie: `jupyterhub-hub-login=${`login-secret-of-${user}-`.padEnd(43, "x")}; _xsrf=${xsrf}`,
      },
    });
  };
  const slugs = (body: string) =>
    [...body.matchAll(/type="radio" name="profile" value="([^"]*)"/g)].map(([, slug]) => slug);

  it("shows the profiles its owner is offered, and starts nothing", async () => {
    await twoProfiles();
    const page = await open("ada");
    assert.equal(page.statusCode, 200);
    assert.deepEqual(slugs(page.body), ["small", "large"]);
    assert.match(page.body, /Small &amp; quick/);
    assert.match(page.body, /How many &lt;b&gt;cores/);
    assert.match(page.body, /type="number"[^>]*name="small\.cores"[^>]*value="2"[^>]*min="1"[^>]*max="8"/);
    assert.doesNotMatch(page.body, /[Ss]ecret/);
    assert.doesNotMatch(page.body, /<script(?![^>]*nonce)|<[^>]+\sstyle=|<[^>]+\son\w+=/);
    assert.equal(spawn.starts.length, 0);
    assert.deepEqual(slugs((await open("bob")).body), ["small", "large", "secret"]);
    assert.deepEqual(
      slugs((await open("root", "/hub/spawn/ada")).body),
      ["small", "large"],
      "the owner counts",
    );
  });

  it("is asked for also when the one profile has fields, and not when it has none", async () => {
    await hub.people.profile("only", { fields: [cores] });
    const page = await open("ada");
    assert.match(page.body, /<input type="hidden" name="profile" value="only">/);
    assert.match(page.body, /name="only\.cores"/);
    const plain = await startHub();
    opened.push(plain);
    const starts = spawnStandIn(plain).starts;
    await plain.people.user("ada");
    await plain.people.profile("only");
    assert.equal((await plain.browser("ada", "/hub/spawn")).headers.location, "/hub/spawn-pending/ada");
    assert.deepEqual(starts, [{ userName: "ada", serverName: "", actor: starts[0]?.actor }]);
  });

  it("drops what was chosen before when there is no choice any more", async () => {
    await hub.people.profile("only");
    await hub.people.server("ada", {
      phase: "stopped",
      desired: "stopped",
      routed: false,
      profile: "gone",
      options: { cores: 9 },
    });
    await open("ada");
    const [start] = spawn.starts;
    assert.deepEqual([start?.profile, start?.options], ["only", {}]);
  });

  it("starts what was chosen, with values of their types, and goes on to the pending page", async () => {
    await twoProfiles();
    const answer = await send("ada", { profile: "small", "small.cores": "4", next: "/user/ada/lab/tree/x" });
    assert.deepEqual(
      [answer.statusCode, answer.headers.location],
      [303, "/hub/spawn-pending/ada?next=%2Fuser%2Fada%2Flab%2Ftree%2Fx"],
    );
    const [start] = spawn.starts;
    assert.deepEqual([start?.profile, start?.options], ["small", { cores: 4 }]);
  });

  it("needs its token", async () => {
    await twoProfiles();
    const answer = await hub.browser("ada", {
      method: "POST",
      url: "/hub/spawn",
      payload: "profile=small",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    assert.equal(answer.statusCode, 403);
    assert.equal(spawn.starts.length, 0);
  });

  it("orders nothing while fields are wrong, and says of each what would be right", async () => {
    await hub.people.profile("small", { fields: [cores, hours, account] });
    const answer = await send("ada", { "small.cores": "99", "small.hours": "two", "small.account": "" });
    assert.equal(answer.statusCode, 400);
    assert.equal(spawn.starts.length, 0);
    assert.match(
      answer.body,
      /id="small-cores-error" role="alert">Cores must be a whole number from 1 to 8\./,
    );
    assert.match(
      answer.body,
      /id="small-hours-error" role="alert">Time cannot be “two”\. Hours and minutes, such as /,
    );
    assert.match(answer.body, /id="small-account-error" role="alert">Project must be given\./);
    assert.doesNotMatch(answer.body, /\[0-9\]\+:[^"]*<\/p>|id="refusal"/);
    assert.match(answer.body, /value="two"/);
    assert.match(answer.body, /id="wrong">Nothing was started: 3 fields need another value\./);
  });

  it("passes on what no field is for, that it is refused in the words of the API", async () => {
    await twoProfiles();
    spawn.refusal = new HubError("SPAWN_OPTIONS_INVALID", {
      message: 'The option "bogus" cannot be chosen here.',
      field: "bogus",
    });
    const answer = await send("ada", { profile: "small", "small.bogus": "1" });
    assert.equal(answer.statusCode, 400);
    assert.match(answer.body, /id="refusal">The option &#34;bogus&#34; cannot be chosen here\./);
    spawn.refusal = undefined;
    await send("ada", { profile: "large", cores: "4", "small.cores": "3" });
    assert.deepEqual(
      spawn.starts[0]?.options,
      { cores: "4" },
      "fields of other profiles of the form are let be",
    );
  });

  it("passes it on where there is nothing to choose, too", async () => {
    await hub.people.profile("only");
    await send("ada", { bogus: "1" });
    assert.deepEqual(spawn.starts[0]?.options, { bogus: "1" });
  });

  it("refuses a field that comes twice", async () => {
    await twoProfiles();
    const answer = await send("ada", [
      ["profile", "small"],
      ["small.cores", "2"],
      ["small.cores", "3"],
    ]);
    assert.equal(answer.statusCode, 400);
    assert.match(answer.body, /id="small-cores-error" role="alert">Cores came more than once\./);
    const twice = await send("ada", [
      ["profile", "small"],
      ["profile", "large"],
    ]);
    assert.match(twice.body, /id="profile-error" role="alert">The profile came more than once\./);
    assert.equal(spawn.starts.length, 0);
  });

  it("is not broken by control characters of a link or of the last start", async () => {
    await hub.people.profile("small", { fields: [note] });
    await hub.people.server("ada", {
      phase: "stopped",
      desired: "stopped",
      routed: false,
      profile: "small",
      options: { note: "a\u0000b\u001bc" },
    });
    const link = await open("ada", "/hub/spawn?note=x%00%1b%0ay&next=%00");
    const kept = await open("ada");
    for (const page of [link, kept]) {
      assert.equal(page.statusCode, 200);
      assert.doesNotMatch(page.body, /[^\P{Cc}\n]/u);
    }
    assert.match(link.body, /name="small\.note" value="xy/);
    assert.match(kept.body, /name="small\.note" value="abc"/);
  });

  it("comes back with what was entered and the sentence at its field", async () => {
    await twoProfiles();
    spawn.refusal = new HubError("SPAWN_OPTIONS_INVALID", { message: "At most <8>.", field: "cores" });
    const answer = await send("ada", { profile: "small", "small.cores": "8", next: "/user/ada/x" });
    assert.equal(answer.statusCode, 400);
    assert.match(answer.body, /value="8"[^>]*aria-invalid="true"/);
    assert.match(answer.body, /id="small-cores-error" role="alert">At most &lt;8&gt;\./);
    assert.match(answer.body, /aria-describedby="[^"]*small-cores-error"/);
    assert.match(answer.body, /value="small" required checked/);
    assert.match(answer.body, /name="next" value="\/user\/ada\/x"/);
  });

  it("tells every other refusal above the fields, with its status", async () => {
    await twoProfiles();
    spawn.refusal = new HubError("SPAWN_TOO_MANY", { retryAfterSeconds: 40 });
    const answer = await send("ada", { profile: "small", "small.cores": "3" });
    assert.deepEqual([answer.statusCode, answer.headers["retry-after"]], [429, "40"]);
    assert.match(answer.body, /id="refusal">Too many users/);
    assert.match(answer.body, /value="3"/);
  });

  it("passes a profile that is not offered on to be refused, hidden or not there", async () => {
    await twoProfiles();
    spawn.refusal = new HubError("SPAWN_PROFILE_UNKNOWN", { field: "profile" });
    const hidden = await send("ada", { profile: "secret" });
    const absent = await send("ada", { profile: "nowhere" });
    assert.deepEqual([hidden.statusCode, absent.statusCode], [400, 400]);
    assert.match(hidden.body, /id="profile-error" role="alert">There is no such profile\./);
    const same = (body: string) => body.replaceAll(/nonce[^>]*|name="_xsrf"[^>]*/g, "");
    assert.equal(same(hidden.body), same(absent.body));
  });

  it("remembers profile and options of the last start, also of one that failed", async () => {
    await twoProfiles();
    await hub.people.server("ada", {
      phase: "failed",
      desired: "stopped",
      routed: false,
      profile: "small",
      options: { cores: 7 },
      cause: { code: "SPAWN_ENDED", message: "It ended.", operator: "", at: "2026-11-22T12:00:00.000Z" },
    });
    const failed = await open("ada", "/hub/spawn-pending/ada");
    const again = /id="retry" href="([^"]*)"/.exec(failed.body)?.[1] ?? "";
    const page = await open("ada", again);
    assert.match(page.body, /value="small" required checked/);
    assert.match(page.body, /name="small\.cores"[^>]*value="7"/);
  });

  it("fills in what a link says", async () => {
    await twoProfiles();
    const page = await open("ada", "/hub/spawn?profile=small&cores=5");
    assert.match(page.body, /name="small\.cores"[^>]*value="5"/);
    assert.equal(spawn.starts.length, 0);
  });

  it("refuses names of servers before it asks", async () => {
    await twoProfiles();
    assert.equal((await open("ada", "/hub/spawn/ada/UPPER")).statusCode, 400);
    assert.equal((await open("bob", "/hub/spawn/ada")).statusCode, 404);
  });
});

describe("GET /profiles", () => {
  it("lists what the caller may choose", async (t) => {
    const hub = await startHub();
    t.after(() => hub.close());
    await hub.people.user("ada");
    await hub.people.user("root", { admin: true });
    await hub.people.profile("small", { title: "Small", fields: [cores] });
    await hub.people.profile("secret", { visibleTo: { everyone: false, users: [], admins: true } });
    const list = (user: string) => hub.api(user, { method: "GET", url: "/hub/api/profiles" });
    assert.deepEqual((await list("ada")).json(), [
      { slug: "small", title: "Small", description: "", backend: "local", fields: [cores] },
    ]);
    assert.equal((await list("root")).json().length, 2);
    assert.equal((await hub.app.inject({ url: "/hub/api/profiles" })).statusCode, 403);
    const token = await hub.people.token("ada", { scopes: ["read:users:name!user=ada"] });
    const headers = { authorization: `token ${token}` };
    assert.equal((await hub.app.inject({ url: "/hub/api/profiles", headers })).statusCode, 403);
  });
});
