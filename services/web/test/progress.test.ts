import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Server, Step } from "@elara/contracts";
import { ServerProgress } from "@elara/contracts";
import { startHub, type TestHub } from "./fixtures/hub.ts";

const at = (second: number): string => `2026-11-22T12:00:0${second}.000Z`;
const step = (name: string, second: number, progress: number): Step => ({
  at: at(second),
  step: name,
  message: `did ${name}`,
  progress,
});

describe("the progress stream", () => {
  let hub: TestHub;
  let server: Server;
  let origin: string;
  let token: string;
  before(async () => {
    hub = await startHub();
    await hub.people.user("ada");
    token = await hub.people.token("ada");
    await hub.app.listen({ host: "127.0.0.1", port: 0 });
    origin = `http://127.0.0.1:${(hub.app.server.address() as AddressInfo).port}`;
  });
  after(() => hub.close());
  beforeEach(async () => {
    server ??= await hub.people.server("ada");
    await hub.people.changeServer(server._id, { phase: "starting", desired: "running", routed: false });
    await hub.people.steps(server, [step("requested", 0, 0)]);
  });

  const open = async (query = "") => {
    const response = await fetch(`${origin}/hub/api/users/ada/server/progress${query}`, {
      headers: { authorization: `token ${token}` },
    });
    assert.equal(response.headers.get("cache-control"), "no-cache");
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    return events(response);
  };
  const news = (): void =>
    hub.bus.notify(
      ServerProgress,
      {
        userId: server.userId,
        serverId: server._id,
        userName: "ada",
        serverName: "",
        generation: 1,
        ...step("news", 0, 0),
      },
      { userId: server.userId, objectId: server._id },
    );

  it("tells stored steps first, then what comes, then ready", async () => {
    const stream = await open();
    assert.deepEqual((await stream.next()).value, {
      progress: 0,
      message: "did requested",
      step: "requested",
      title: "Requested",
      detail: "did requested",
      ongoing: false,
      at: at(0),
    });
    await hub.people.steps(server, [step("requested", 0, 0), step("environment", 1, 10)]);
    news();
    assert.equal((await stream.next()).value?.step, "environment");
    const all = [step("requested", 0, 0), step("environment", 1, 10), step("ready", 2, 100)];
    await hub.people.steps(server, all);
    await hub.people.changeServer(server._id, { phase: "ready", routed: true });
    news();
    assert.equal((await stream.next()).value?.step, "ready");
    assert.deepEqual((await stream.next()).value, {
      progress: 100,
      ready: true,
      message: "Server ready at /user/ada/",
      html_message: 'Server ready at <a href="/user/ada/">/user/ada/</a>',
      url: "/user/ada/",
    });
    assert.equal((await stream.next()).done, true);
  });

  it("tells of steps of one name in a row the last one only: a pull at 3, 4, 5 %", async () => {
    const pull = (percent: number, second: number) => ({
      ...step("pulling", second, percent),
      message: `Pulling the image: ${percent} %`,
    });
    await hub.people.steps(server, [step("requested", 0, 0), pull(3, 1), pull(4, 2), pull(5, 3)]);
    const stream = await open();
    await stream.next();
    const { value } = await stream.next();
    assert.deepEqual([value?.title, value?.ongoing, value?.at], ["Pulling the image: 5 %", true, at(3)]);
    await hub.people.steps(server, [step("requested", 0, 0), pull(3, 1), pull(4, 2), pull(5, 3), pull(9, 4)]);
    news();
    assert.equal((await stream.next()).value?.title, "Pulling the image: 9 %");
    await stream.return(undefined);
  });

  it("tells that it waits in a queue, that nobody knows, that it goes on, each with its reason", async () => {
    await hub.people.changeServer(server._id, { phase: "queued", phaseAt: at(1), reason: "Priority" });
    const stream = await open();
    await stream.next();
    const next = async () => {
      const { value } = await stream.next();
      return [value?.state.kind, value?.state.reason, value?.message];
    };
    assert.deepEqual(await next(), ["queued", "Priority", "Why it waits: Priority"]);
    await hub.people.changeServer(server._id, { reason: "Resources" });
    news();
    assert.deepEqual(await next(), ["queued", "Resources", "Why it waits: Resources"]);
    await hub.people.changeServer(server._id, {
      phase: "unknown",
      phaseBefore: "queued",
      reason: "scheduler away",
    });
    news();
    const [kind, , words] = await next();
    assert.equal(kind, "unknown");
    assert.match(words, /Nothing is lost.*\(scheduler away\)$/);
    await hub.people.changeServer(server._id, { phase: "starting", phaseBefore: "", reason: "" });
    news();
    assert.deepEqual(await next(), ["starting", "", "Your server is starting"]);
    await stream.return(undefined);
  });

  it("tells a page, which may show what is over, how it stands at once", async () => {
    const stream = await open("?page");
    assert.equal((await stream.next()).value?.step, "requested");
    assert.equal((await stream.next()).value?.state.kind, "starting");
    await stream.return(undefined);
  });

  it("tells a failure with its sentence and code", async () => {
    const stream = await open();
    await stream.next();
    const cause = { code: "SPAWN_ENDED", message: "It ended.", operator: "", at: at(3) };
    await hub.people.changeServer(server._id, { phase: "failed", desired: "stopped", cause });
    news();
    const { value } = await stream.next();
    assert.deepEqual(value, {
      progress: 100,
      failed: true,
      message: "Spawn failed: It ended.",
      code: "SPAWN_ENDED",
    });
    const late = await open();
    assert.equal((await late.next()).value?.failed, true, "who comes later is told at once");
  });

  it("tells only ready to whoever comes when all is done", async () => {
    await hub.people.changeServer(server._id, { phase: "ready", routed: true });
    const stream = await open();
    assert.equal((await stream.next()).value?.ready, true);
    assert.equal((await stream.next()).done, true);
  });

  it("refuses when nothing starts", async () => {
    await hub.people.changeServer(server._id, { phase: "stopped", desired: "stopped" });
    const answer = await hub.api("ada", { url: "/hub/api/users/ada/server/progress" });
    assert.deepEqual([answer.statusCode, answer.json().message], [400, "ada: is not starting..."]);
  });
});

describe("a stream that is open when the hub goes down", () => {
  it("is ended with a hint when to come back", async () => {
    const hub = await startHub();
    await hub.people.user("ada");
    await hub.people.server("ada", { phase: "starting", routed: false });
    const token = await hub.people.token("ada");
    await hub.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = hub.app.server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/hub/api/users/ada/server/progress`, {
      headers: { authorization: `token ${token}` },
    });
    const text = response.text();
    await hub.close();
    assert.match(await text, /retry: \d+\n\n$/);
  });
});

/** The events of a stream; keep-alives are passed over. */
// biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked at field by field.
async function* events(response: Response): AsyncGenerator<Record<string, any>> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) if (part.startsWith("data: ")) yield JSON.parse(part.slice(6));
  }
}
