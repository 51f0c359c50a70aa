import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredServer } from "@elara/sdk";
import { LookAnswer } from "@elara/sdk/launcher";
import { Value } from "typebox/value";
import type { Handle } from "../src/handle.ts";
import { observer } from "../src/observe.ts";
import { options } from "../src/options.ts";
import { type Login, places } from "../src/places.ts";
import type { Tunnels } from "../src/tunnels.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };
const where = (...hosts: object[]) =>
  places(Value.Parse(options, Value.Default(options, { hosts, connect: "forward" })));

const serverOf = (tag: string, change: Partial<Handle> = {}): StoredServer<Handle> => ({
  tag,
  user: { id: "u1", name: "ada" },
  server: "",
  url: "",
  handle: {
    v: 1,
    host: "login1",
    address: "10.0.0.1",
    port: 22,
    account: "ada",
    dir: "~/run/login1",
    connect: "forward",
    bootId: "boot1",
    pid: 7,
    serverPort: 20_000,
    ...change,
  },
});

/** A machine on which these run since the boot `boot1`; as it answers when it was started as `bootId`. */
function answer(bootId: string, ...tags: string[]) {
  return answerWith("http://127.0.0.1:20000", bootId, ...tags);
}

/** As `answer`, with this address in the records, which their owner can write. */
function answerWith(url: string, bootId: string, ...tags: string[]) {
  const who = { pid: 7, start: 1 };
  const state = (tag: string) => ({
    v: 1,
    tag,
    phase: "running",
    bootId: "boot1",
    startedAt: "2026-01-01T00:00:00.000Z",
    launcher: who,
    child: who,
    url,
  });
  const servers = Object.fromEntries(
    tags.map((tag) => {
      const isHere = bootId === "boot1";
      return [
        tag,
        { claimed: isHere, state: isHere ? state(tag) : null, exit: null, alive: isHere, attended: isHere },
      ];
    }),
  );
  const seen = Value.Parse(LookAnswer, { ok: true, bootId, runDir: true, servers });
  assert.ok(seen.ok);
  return seen;
}

const led: string[] = [];

function observing(given: {
  places: ReturnType<typeof where>;
  look(login: Login): ReturnType<typeof answer>;
}) {
  const tunnels: Tunnels = {
    async url(tag, _login, serverUrl) {
      led.push(serverUrl);
      if (tag === "broken") throw new Error("listen EMFILE");
      return "http://127.0.0.1:40000";
    },
    close: async () => {},
    keep() {},
  };
  const remote = {
    connect: async () => {},
    at: () => assert.fail("nothing is to be done"),
    log: () => assert.fail("nothing is to be read"),
    look: async (login: Login) => given.look(login),
  };
  return observer({ places: given.places, remote, tunnels, portRange: [20_000, 20_999] }, { log });
}

test("a forward that cannot be opened is one server's trouble", async () => {
  const look = () => answer("boot1", "whole", "broken");
  const observe = observing({ places: where({ name: "login1", host: "10.0.0.1" }), look });
  const rows = await observe([serverOf("whole"), serverOf("broken")]);
  assert.deepEqual(
    rows.map(({ tag, state }) => [tag, state]),
    [
      ["whole", "running"],
      ["broken", "unknown"],
    ],
  );
  assert.match(rows[1]?.reason ?? "", /EMFILE/);
});

test("a name that means another machine now: servers are looked for where they were started, and not ended from elsewhere", async () => {
  const asked: string[] = [];
  let boot = "boot1";
  const observe = observing({
    places: where({ name: "login1", host: "10.0.0.9" }),
    look(login) {
      asked.push(`${login.place.host}:${login.place.port}`);
      return answer(boot, "moved");
    },
  });
  assert.equal((await observe([serverOf("moved")]))[0]?.state, "running");
  boot = "boot2"; // somebody else has that address by now
  const [row] = await observe([serverOf("moved")]);
  assert.equal(row?.state, "unknown");
  assert.match(row?.reason ?? "", /login1 \(was 10\.0\.0\.1:22\)/);
  assert.deepEqual(asked, ["10.0.0.1:22", "10.0.0.1:22"]);
  assert.equal((await observe([serverOf("moved", { address: "10.0.0.9" })]))[0]?.state, "ended");
});

test("of a record that its owner wrote only a port is taken, and only one that servers get", async () => {
  for (const [forged, state] of [
    ["http://10.9.9.9:20005", "running"],
    ["http://127.0.0.1:8081", "unknown"],
    ["http://127.0.0.1", "unknown"],
    ["garbage", "unknown"],
  ] as const) {
    led.length = 0;
    const observe = observing({
      places: where({ name: "login1", host: "10.0.0.1" }),
      look: () => answerWith(forged, "boot1", "forged"),
    });
    const [row] = await observe([serverOf("forged")]);
    assert.equal(row?.state, state, forged);
    assert.deepEqual(led, state === "running" ? ["http://127.0.0.1:20005"] : []);
  }
});
