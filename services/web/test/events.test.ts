import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ServerReady, SessionStarted, TokenCreated, tokens, UserUpdated, users } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { digest } from "@elara/runtime/id";
import { eventOf } from "@elara/runtime/outbox";
import { type Follower, follow } from "./fixtures/follow-events.ts";
import { startHub, type TestHub } from "./fixtures/hub.ts";

describe("the stream of events", () => {
  let hub: TestHub;
  let origin: string;
  let ada: string;
  let bob: string;
  const open: Follower[] = [];
  beforeEach(async () => {
    hub = await startHub({ config: { eventStreamsPerOwner: 2 } });
    origin = await hub.app.listen({ host: "127.0.0.1", port: 0 });
    ada = await hub.people.user("ada");
    bob = await hub.people.user("bob");
    await hub.people.user("root", { admin: true });
  });
  afterEach(async () => {
    for (const follower of open.splice(0)) await follower.close();
    await hub.close();
  });

  const stream = async (token: string, query = "", headers: Record<string, string> = {}) => {
    const follower = await follow(`${origin}/hub/api/events${query}`, token, headers);
    open.push(follower);
    return follower;
  };
  const tell = (userId: string, more: { seq?: number } = {}) => {
    const common = {
      hubId: "testhub",
      userId,
      actor: "system:test",
      clock: { now: () => Date.now(), monotonic: () => 0 },
    };
    const doc = { seq: (more.seq ?? 1) - 1 };
    const publish = (contract: Parameters<typeof hub.bus.publish>[0], event: ReturnType<typeof eventOf>) =>
      hub.bus.publish(contract, event.event, event);
    return {
      server: (serverName = "") =>
        publish(
          ServerReady,
          eventOf(ServerReady, {
            ...common,
            doc,
            subject: `users/${userId}/servers/s1`,
            objectId: "s1",
            data: { userId, serverId: "s1", userName: "x", serverName, generation: 1, path: "/", startMs: 1 },
          }),
        ),
      session: () =>
        publish(
          SessionStarted,
          eventOf(SessionStarted, {
            ...common,
            doc,
            subject: `users/${userId}/sessions/n1`,
            objectId: "n1",
            data: { userId, sessionId: "n1", name: "x", authenticator: "dummy", expiresAt: timestamp(0) },
          }),
        ),
      token: () =>
        publish(
          TokenCreated,
          eventOf(TokenCreated, {
            ...common,
            doc,
            subject: `users/${userId}/tokens/a1`,
            objectId: "a1",
            data: { userId, publicId: "a1", kind: "api", note: "" },
          }),
        ),
      renamed: (name: string) =>
        publish(
          UserUpdated,
          eventOf(UserUpdated, {
            ...common,
            doc,
            subject: `users/${userId}`,
            objectId: userId,
            data: { userId, name, changed: ["name"] },
          }),
        ),
    };
  };
  const rename = async (id: string, name: string) => {
    const documents = hub.store.collection(users);
    const user = await documents.get(id);
    assert.ok(
      await documents.patch(id, user?.rev ?? 0, {
        set: { name, nameKey: name, accessChangedAt: timestamp(Date.now()) },
      }),
    );
  };
  const change = async (token: string, set: object) => {
    const documents = hub.store.collection(tokens);
    const doc = await documents.get(digest(token));
    assert.ok(await documents.patch(doc?._id ?? "", doc?.rev ?? 0, { set }));
  };

  it("shows each reader what the scopes allow, in order, as CloudEvents with their position", async () => {
    const own = await stream(await hub.people.token("ada"));
    const all = await stream(await hub.people.token("root"));
    const part = await stream(await hub.people.token("root", { scopes: ["read:events:sessions!user=bob"] }));
    for (const id of [ada, bob]) {
      await tell(id).server();
      await tell(id).session();
    }
    const types = (follower: Follower) => follower.events().map(({ type, data }) => `${type} ${data.userId}`);
    const [ready, started] = ["org.elara.server.ready.v1", "org.elara.session.started.v1"];
    await all.until(4);
    assert.deepEqual(types(all), [
      `${ready} ${ada}`,
      `${started} ${ada}`,
      `${ready} ${bob}`,
      `${started} ${bob}`,
    ]);
    await own.until(2);
    assert.deepEqual(types(own), [`${ready} ${ada}`, `${started} ${ada}`]);
    await part.until(1);
    assert.deepEqual(types(part), [`${started} ${bob}`]);
    assert.deepEqual(
      all.events().map(({ specversion, sequence }) => [specversion, sequence]),
      ["1", "2", "3", "4"].map((position) => ["1.0", position]),
    );
    assert.deepEqual(all.ids.slice(-4), ["1", "2", "3", "4"]);
  });

  it("goes on behind Last-Event-ID, from all that is kept with after=0, and filters by type and user", async () => {
    const token = await hub.people.token("root");
    for (const id of [ada, bob, ada]) await tell(id).server();
    await tell(ada).session();
    const rest = await stream(token, "?after=0", { "last-event-id": "2" });
    await rest.until(2);
    assert.deepEqual(rest.ids.slice(1), ["3", "4"]);
    const chosen = await stream(token, "?after=0&type=server&user=ada,nobody");
    await chosen.until(2);
    assert.deepEqual(chosen.ids.slice(1), ["1", "3"]);
  });

  it("shows of somebody new what the log holds before the news of their creation", async () => {
    const part = await stream(await hub.people.token("root", { scopes: ["read:events!user=zoe"] }));
    const zoe = await hub.people.user("zoe");
    await tell(ada).server();
    await tell(zoe).token();
    await part.untilId("2");
    assert.deepEqual(
      part.events().map(({ data }) => data.userId),
      [zoe],
    );
  });

  it("begins with its position, so that who hears nothing can come back to it", async () => {
    for (const id of [ada, bob]) await tell(id).server();
    const quiet = await stream(await hub.people.token("ada"));
    await quiet.untilId("2");
    assert.deepEqual(quiet.events(), []);
  });

  it("is a line each for who asks so, and ends after what is kept", async () => {
    const token = await hub.people.token("root");
    const accept = { accept: "application/x-ndjson" };
    const wait = async (query: string) => {
      const answer = await fetch(`${origin}/hub/api/events${query}`, {
        headers: { authorization: `token ${token}`, ...accept },
      });
      assert.equal(answer.headers.get("content-type"), "application/x-ndjson");
      return (await answer.text())
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line).sequence);
    };
    assert.deepEqual(await wait("?after=0&wait=0"), []);
    for (const id of [ada, bob]) await tell(id).server();
    assert.deepEqual(await wait("?after=0&wait=0"), ["1", "2"]);
    assert.deepEqual(await wait("?after=1&wait=30"), ["2"]);
    const later = wait("?after=2&wait=30");
    await tell(ada).server();
    assert.deepEqual(await later, ["3"]);
    // Who asks for what does not happen gets on all the same.
    const none = (after: string) => wait(`?type=token&after=${after}&wait=0`);
    assert.deepEqual(await none("0"), ["3"]);
    assert.deepEqual(await none("3"), []);
    assert.deepEqual(await wait("?user=ada&after=0&wait=0"), ["1", "3"]);
    assert.deepEqual(await wait("?user=ADA&type=server&after=0&wait=0"), ["1", "3"]);
    assert.deepEqual(await wait("?user=bob&after=0&wait=0"), ["2", "3"]);
    const quiet = await stream(token, "?type=token&after=0&wait=0");
    await quiet.ended;
    assert.equal(quiet.ids.at(-1), "3");
  });

  it("is refused with the reason", async () => {
    const root = await hub.people.token("root");
    const none = await hub.people.token("root", { scopes: ["read:users", "read:servers"] });
    const status = async (token: string, query: string, headers = {}) => {
      const answer = await fetch(`${origin}/hub/api/events${query}`, {
        headers: { authorization: `token ${token}`, ...headers },
      });
      return [answer.status, Object(await answer.json()).code];
    };
    assert.deepEqual(await status(none, ""), [403, "SCOPE_MISSING"]);
    assert.deepEqual(await status("wrong", ""), [403, "NO_CREDENTIALS"]);
    assert.deepEqual(await status(root, "?type=server.redy"), [400, "FIELD_INVALID"]);
    const wrong: Record<string, string> = {
      "?wait=100": "wait",
      "?user=": "user",
      "?user=,": "user",
      "?type=": "type",
      "?type=server,user&type=": "type",
      "?types=server": "types",
      "?users=ada": "users",
    };
    for (const [query, field] of Object.entries(wrong)) {
      const answer = await fetch(`${origin}/hub/api/events${query}`, {
        headers: { authorization: `token ${root}` },
      });
      const { code, message } = Object(await answer.json());
      assert.deepEqual([answer.status, code], [400, "FIELD_INVALID"], query);
      assert.match(message, new RegExp(`^${field}: `));
    }
    assert.deepEqual(await status(root, "?after=x"), [400, "EVENTS_CURSOR_INVALID"]);
    assert.deepEqual(await status(root, "", { "last-event-id": "7" }), [410, "EVENTS_CURSOR_EXPIRED"]);
  });

  it("ends within five seconds when the token is revoked, is over, or loses its scopes", async () => {
    const ends: Record<string, object> = {
      revoked: { revokedAt: timestamp(Date.now()) },
      without: { scopes: ["read:users"], accessChangedAt: timestamp(Date.now()) },
    };
    for (const [what, set] of [["over", {}] as const, ...Object.entries(ends)]) {
      const token = await hub.people.token("root");
      // Known from the beginning, unlike what takes a token away.
      if (what === "over") await change(token, { expiresAt: timestamp(Date.now() + 1500) });
      const reading = await stream(token);
      await tell(ada).server();
      await reading.until(1);
      await change(token, set);
      const began = performance.now();
      await reading.ended;
      const tookMs = performance.now() - began;
      assert.ok(tookMs < 5000, `${what}: ${tookMs} ms`);
      assert.match(
        reading.text(),
        new RegExp(`event: end\\ndata: .*${what === "without" ? "SCOPE_MISSING" : "NO_CREDENTIALS"}`),
      );
    }
  });

  it("follows a person through a rename, and shows whoever takes the name nothing of theirs", async () => {
    const named = await stream(await hub.people.token("root", { scopes: ["read:events!user=ada"] }));
    const own = await stream(await hub.people.token("ada"));
    await tell(ada).server();
    await rename(ada, "grace");
    const next = await hub.people.user("someone");
    await rename(next, "ada");
    await tell(ada).renamed("grace");
    await tell(ada).session();
    await tell(next).session();
    await named.until(2);
    assert.deepEqual(
      named.events().map(({ data }) => data.userId),
      [ada, next],
    );
    await own.until(3);
    assert.deepEqual(
      own.events().map(({ data }) => data.userId),
      [ada, ada, ada],
    );
  });

  it("is open so many times only, and a place is given back", async () => {
    const token = await hub.people.token("root");
    const first = await stream(token);
    await stream(await hub.people.token("root"));
    // With whatever token: the places are the owner's.
    const other = await hub.people.token("root");
    const third = () => fetch(`${origin}/hub/api/events`, { headers: { authorization: `token ${other}` } });
    const refused = await third();
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "5"]);
    await refused.body?.cancel();
    await first.close();
    for (let tries = 0; ; tries += 1) {
      const answer = await third();
      await answer.body?.cancel();
      if (answer.status === 200) break;
      assert.ok(tries < 100, "the place was not given back");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it("ends with a hint when to come back when the service ends", async () => {
    const other = await startHub();
    origin = await other.app.listen({ host: "127.0.0.1", port: 0 });
    await other.people.user("root", { admin: true });
    const reading = await stream(await other.people.token("root"));
    await other.close();
    await reading.ended;
    assert.match(reading.text(), /retry: 1000\n\n$/);
  });
});
