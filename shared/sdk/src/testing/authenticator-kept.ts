import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthState } from "../auth-state.ts";
import { type Authenticator, MAX_AUTH_STATE_BYTES, MAX_PRE_SPAWN_CHARS } from "../authenticator.ts";
import { serverVariableFault } from "../server-variable.ts";
import type { AuthenticatorBench, AuthenticatorCase } from "./authenticator-bench.ts";

/** What an authenticator promises of what it wants kept: plain JSON, an environment of strings, and giving all of it back. */
export function keptPromises(bench: AuthenticatorBench, { live }: AuthenticatorCase): void {
  const stored = (authState: AuthState): AuthState => JSON.parse(JSON.stringify(authState));
  const call = (authState: AuthState) => ({ authState: stored(authState), userName: "ada" });
  const preSpawn = (authenticator: Authenticator, authState: AuthState) =>
    bench.within(async (signal) => authenticator.preSpawn?.({ ...call(authState), signal }));

  test("what it keeps of a log-in is plain JSON, and what it makes of it for servers are variables", async () => {
    const authenticator = await bench.setup();
    const { authState, allowed, admin } = await bench.login(authenticator);
    for (const [name, flag] of Object.entries({ allowed, admin }))
      assert.ok(flag === undefined || typeof flag === "boolean", `${name} is true, false or absent`);
    if (authState === undefined) return;
    assert.deepEqual(stored(authState), authState, "authState is plain JSON");
    const bytes = Buffer.byteLength(JSON.stringify(authState));
    assert.ok(bytes <= MAX_AUTH_STATE_BYTES, `authState has at most ${MAX_AUTH_STATE_BYTES} bytes: ${bytes}`);
    if (!authenticator.preSpawn) return;
    // In another process, as after a restart.
    const env = await preSpawn(await bench.setup(), authState);
    for (const [name, value] of Object.entries(env ?? {}))
      assert.equal(serverVariableFault(name, value), undefined, `the variable ${name}`);
    const chars = JSON.stringify(env ?? {}).length;
    assert.ok(
      chars <= MAX_PRE_SPAWN_CHARS,
      `variables have at most ${MAX_PRE_SPAWN_CHARS} characters: ${chars}`,
    );
  });

  test("a log-out gives everything back, and may be repeated", async () => {
    const authenticator = await bench.setup();
    const before = await bench.live();
    const { authState } = await bench.login(authenticator);
    if (authState === undefined || !authenticator.logout) return;
    const given = await bench.live(before);
    if (live) assert.ok(given.length > 0, "`live` of the case shows what the provider gave");
    await bench.logout(await bench.setup(), authState);
    assert.deepEqual(await bench.live(before), [], "nothing that the provider gave is honoured any more");
    await bench.logout(authenticator, authState);
    assert.deepEqual(await bench.live(before), []);
  });

  if (live)
    test("what it has the hub hold is enough to give everything back", async () => {
      const authenticator = await bench.setup();
      const before = await bench.live();
      const held: AuthState[] = [];
      await bench.finish(authenticator, await bench.attempt(authenticator), held);
      const last = held.at(-1);
      if (last === undefined) return;
      assert.deepEqual(stored(last), last, "it is plain JSON");
      // As after a kill before the answer: by another process, which has nothing else.
      await bench.logout(await bench.setup(), last);
      assert.deepEqual(await bench.live(before), [], "nothing that the provider gave is honoured any more");
    });

  const spoiled = bench.spoiledSecrets();
  if (live && spoiled)
    test("a log-out that the provider does not believe is no log-out", async () => {
      const before = await bench.live();
      const authenticator = await bench.setup();
      const { authState } = await bench.login(authenticator);
      if (authState === undefined || !authenticator.logout) return;
      // As after somebody mistyped a new secret: it must be tried again, so it may not resolve.
      const outcome = await bench
        .setup(spoiled)
        .then(
          (wrong) => bench.logout(wrong, authState).then(() => "resolved"),
          () => "not set up",
        )
        .catch(() => "rejected");
      if (outcome === "resolved")
        assert.deepEqual(await bench.live(before), [], "`logout` resolves only when nothing is left");
      await bench.logout(authenticator, authState);
    });
}
