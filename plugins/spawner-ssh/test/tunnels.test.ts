import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ssh } from "@elara/ssh";
import { tunnels } from "../src/tunnels.ts";

const place = { name: "login1", host: "login1.example.org", port: 22, bind: "127.0.0.1" };
const login = { place, account: "ada", dir: "~/run" };
const log = { debug() {}, info() {}, warn() {}, error() {} };

/** Forwards that listen nowhere; `closed` has the ports of those that were closed. */
function fakeSsh() {
  const closed: number[] = [];
  let last = 40_000;
  const ssh: Ssh = {
    connect: async () => {},
    run: async () => ({ exitCode: 0, stdout: "", stderr: "" }),
    async forward(_target, _to, { host, port }) {
      last += 1;
      const own = port || last;
      return { host, port: own, close: async () => void closed.push(own) };
    },
    close: async () => {},
  };
  return { ssh, closed };
}

test("an end that nobody observes any more is closed without a look, one that is observed stays", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { ssh, closed } = fakeSsh();
  let at = 1_000_000;
  const closers: (() => unknown)[] = [];
  const ends = tunnels(ssh, "127.0.0.1", {
    log,
    now: () => at,
    onClose: (closer) => void closers.push(closer),
  });
  const [lost, kept] = [
    await ends.url("lost", login, "http://127.0.0.1:20000", ""),
    await ends.url("kept", login, "http://127.0.0.1:20001", ""),
  ].map((url) => Number(new URL(url).port));
  for (let seconds = 0; seconds < 135; seconds += 15) {
    at += 15_000;
    ends.keep(["kept"]); // looked at, although its machine did not answer
    t.mock.timers.tick(15_000);
    await new Promise(setImmediate);
    if (seconds < 60) assert.deepEqual(closed, []);
  }
  assert.deepEqual(closed, [lost]);
  for (const closer of closers) await closer();
  at += 600_000;
  t.mock.timers.tick(600_000);
  await new Promise(setImmediate);
  assert.ok(!closed.includes(kept ?? 0), "the timer ended with its host");
});

test("a forward that fails late leaves the newer one of its server in its place", async () => {
  const { ssh, closed } = fakeSsh();
  const late = Promise.withResolvers<never>();
  const answers = [() => late.promise, ssh.forward];
  const ends = tunnels({ ...ssh, forward: (...of) => (answers.shift() ?? ssh.forward)(...of) }, "127.0.0.1", {
    log,
    now: () => 1_000_000,
    onClose() {},
  });
  const first = assert.rejects(ends.url("tag", login, "http://127.0.0.1:20000", ""), /refused/);
  const closing = ends.close("tag");
  const url = await ends.url("tag", login, "http://127.0.0.1:20001", "");
  late.reject(new Error("refused"));
  await Promise.all([first, closing]);
  assert.equal(await ends.url("tag", login, "http://127.0.0.1:20001", ""), url);
  await ends.close("tag");
  assert.deepEqual(closed, [Number(new URL(url).port)]);
});
