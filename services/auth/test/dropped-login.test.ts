import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PluginError } from "@elara/sdk";
import { giver, isEmpty, isReturned } from "./giver.ts";
import { opener } from "./opener.ts";
import { until } from "./stand.ts";

const open = opener();

describe("of a log-in that comes to nothing, what the provider gave is given back", () => {
  test("when the log-in was refused after the provider had said yes", async () => {
    const giving = giver();
    const stand = await open({
      authenticators: [giving.way],
      config: { allowAll: false, allowedUsers: ["grace"] },
    });
    const { answer } = await stand.atProvider("mallory");
    assert.equal(answer.statusCode, 403);
    await isReturned(giving);
    await isEmpty(stand);
  });

  const refused = new PluginError({}, "PROVIDER_STRANGER", { status: 403 });
  const refusing = (before: () => Promise<void> = async () => {}) => {
    const giving = giver({
      fails: 1,
      who: async () => {
        await before();
        refused.authState = { access_token: giving.way.seen.tokens.at(-1) };
        throw refused;
      },
    });
    return giving;
  };

  test("when the authenticator itself refused after the provider had said yes, also once the provider is back", async () => {
    const giving = refusing();
    const stand = await open({ authenticators: [giving.way] });
    const { answer } = await stand.atProvider("mallory");
    assert.equal(answer.statusCode, 403);
    await until("it was tried", () => giving.calls.length === 1 || undefined);
    assert.equal(await stand.records.authStates.count(), 1);
    await open({ authenticators: [giving.way], with: stand }, 60);
    await isReturned(giving);
    await isEmpty(stand);
    for (const token of giving.way.seen.tokens) assert.ok(!stand.lines.join("\n").includes(token));
  });

  test("when the authenticator refused after nobody waited any more", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const giving = refusing(() => promise);
    const stand = await open({ authenticators: [giving.way], config: { loginSeconds: 0.1 } });
    const { answer } = await stand.atProvider("ada");
    assert.equal(answer.statusCode, 503);
    resolve();
    await until("it was tried", () => giving.calls.length === 1 || undefined);
    assert.deepEqual(giving.calls, giving.way.seen.tokens);
  });

  test("when the authenticator wants more kept than the hub takes", async () => {
    const giving = giver({
      who: async () => ({
        authState: { access_token: giving.way.seen.tokens.at(-1), more: "x".repeat(300_000) },
      }),
    });
    const stand = await open({ authenticators: [giving.way] });
    const { answer } = await stand.atProvider("ada");
    assert.equal(answer.statusCode, 502);
    await isReturned(giving);
    assert.deepEqual(giving.returned, giving.way.seen.tokens);
  });

  test("when the authenticator's answer is no user", async () => {
    const giving = giver({ who: () => ({ subject: "" }) });
    const stand = await open({ authenticators: [giving.way] });
    assert.equal((await stand.atProvider("ada")).answer.statusCode, 502);
    await isReturned(giving);
    await isEmpty(stand);
  });

  test("when the authenticator said yes after nobody waited any more", async () => {
    let go = () => {};
    const giving = giver({ who: () => new Promise((resolve) => (go = () => resolve({}))) });
    const stand = await open({ authenticators: [giving.way], config: { loginSeconds: 0.1 } });
    const { answer } = await stand.atProvider("ada");
    assert.equal(answer.statusCode, 503);
    go();
    await isReturned(giving);
    assert.deepEqual(giving.returned, giving.way.seen.tokens);
  });
});
