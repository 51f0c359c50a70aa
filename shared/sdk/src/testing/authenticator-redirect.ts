import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuthenticatorBench, RedirectCase } from "./authenticator-bench.ts";
import { noFault } from "./no-fault.ts";

/** The hub seals it into a cookie, which browsers drop above 4,096 bytes. */
const MAX_STATE_BYTES = 2500;

/** Between two looks at what the provider gave. */
const LOOK_MS = 5;
const LEFT =
  "nothing that the provider gave is honoured any more, or the error has it as `authState` and `logout` gives it back";

/** What an authenticator promises that sends browsers to a provider. */
export function redirectPromises(bench: AuthenticatorBench, given: RedirectCase): void {
  test("a log-in begins with a redirect of its own", async () => {
    const authenticator = await bench.setup();
    const [one, two] = [await bench.redirect(authenticator), await bench.redirect(authenticator)];
    assert.match(new URL(one.url).protocol, /^https?:$/);
    assert.ok(one.state.length >= 16, "the URL has a `state` that nobody guesses");
    assert.notEqual(one.state, two.state, "another `state` in every log-in");
    assert.deepEqual(JSON.parse(JSON.stringify(one.kept)), one.kept, "what is kept as state is plain JSON");
    assert.ok(
      Buffer.byteLength(JSON.stringify(one.kept)) <= MAX_STATE_BYTES,
      `what is kept as state has at most ${MAX_STATE_BYTES} bytes, for it becomes a cookie`,
    );
    const other = await authenticator.begin({ callbackUrl: bench.callbackUrl, otherAccount: true });
    assert.equal(other.kind, "redirect", "also for who wants another account");
    for (const secret of bench.secretOptions())
      assert.ok(!decodeURIComponent(one.url).includes(secret), "the browser is told no secret option");
  });

  test("two log-ins of one browser do not disturb each other", async () => {
    const authenticator = await bench.setup();
    const [one, two] = [await bench.attempt(authenticator), await bench.attempt(authenticator)];
    for (const attempt of [two, one])
      assert.ok(await bench.finish(authenticator, attempt), "both are finished, the later one first");
  });

  test("a log-in that another process began is finished", async () => {
    const attempt = await bench.attempt(await bench.setup());
    assert.ok(await bench.finish(await bench.setup(), attempt), "all that is needed is in the state");
  });

  test("a foreign state is refused", async () => {
    const authenticator = await bench.setup();
    const [mine, theirs] = [await bench.attempt(authenticator), await bench.attempt(authenticator)];
    const wrong = {
      "somebody else's log-in in this browser": { input: theirs.input, state: mine.state },
      "somebody else's code with the own `state`": {
        input: { ...theirs.input, state: mine.input.state ?? "" },
        state: mine.state,
      },
      "a browser that began nothing": { input: theirs.input, state: {} },
      "a made-up `state`": { input: { ...mine.input, state: "0".repeat(32) }, state: mine.state },
    };
    const before = await bench.live();
    for (const [what, attempt] of Object.entries(wrong)) {
      assert.equal(await bench.drop(authenticator, attempt).catch(noFault(what)), undefined, what);
      assert.deepEqual(await bench.live(before), [], `${LEFT}: ${what}`);
    }
  });

  test("who says no at the provider, and a code it does not know, lets nobody in", async () => {
    const authenticator = await bench.setup();
    for (const answer of [{ error: "access_denied" }, { code: "a-code-that-was-never-given" }]) {
      const { kept: state, ...start } = await bench.redirect(authenticator);
      const input = { ...answer, state: start.state };
      const what = JSON.stringify(answer);
      assert.equal(await bench.finish(authenticator, { input, state }).catch(noFault(what)), undefined, what);
    }
  });

  if (given.stranger)
    test("a stranger is refused, or comes without `allowed`", async () => {
      const authenticator = await bench.setup();
      const attempt = await bench.attempt(authenticator, "stranger");
      const before = await bench.live();
      const user = await bench.drop(authenticator, attempt).catch(noFault("a stranger"));
      assert.notEqual(user?.allowed, true, "no rule lets a stranger in");
      assert.notEqual(user?.admin, true, "a stranger is no administrator");
      assert.deepEqual(await bench.live(before), [], LEFT);
    });

  if (given.live)
    test("a log-in that is given up after its code was exchanged leaves nothing", async () => {
      const authenticator = await bench.setup();
      const attempt = await bench.attempt(authenticator);
      const before = await bench.live();
      const giveUp = new AbortController();
      let isOver = false;
      const outcome = bench.drop(authenticator, attempt, giveUp.signal).finally(() => {
        isOver = true;
      });
      // Whatever the error: nobody hears it any more.
      const ended = outcome.catch(() => undefined);
      await bench.within(async (late) => {
        while (!late.aborted && !isOver && (await bench.live(before)).length === 0) await sleep(LOOK_MS);
        giveUp.abort();
        await ended;
      });
      assert.deepEqual(await bench.live(before), [], LEFT);
    });
}
