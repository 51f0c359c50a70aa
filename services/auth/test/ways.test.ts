import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "@elara/runtime/clock";
import type { Configured } from "@elara/runtime/service";
import { type AuthPlugin, authPlugin, Type } from "@elara/sdk";
import { pino } from "pino";
import { Value } from "typebox/value";
import { AuthConfig } from "../src/config.ts";
import { openWays } from "../src/login/ways.ts";

const ended: string[] = [];
const callbacks: (readonly string[])[] = [];
const addresses = new Set<string>();

/** An authenticator that notes its end, or fails at one. */
const way = (name: string, fails?: "setup" | "end"): Configured<AuthPlugin> => ({
  name,
  options: {},
  plugin: authPlugin({
    name,
    options: Type.Object({}),
    errors: {},
    setup(_options, host) {
      callbacks.push(host.callbackPaths);
      addresses.add(host.publicUrl);
      host.onClose(() => {
        if (fails === "end") throw new Error("no end");
        ended.push(name);
      });
      if (fails === "setup") throw new Error("no setup");
      return { begin: () => ({ kind: "form", fields: [] }), finish: async () => undefined };
    },
  }),
});

test("authenticators are told where their callbacks lead, and what they left for their end runs whole", async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "elara-ways-"));
  t.after(() => rm(dataDir, { recursive: true }));
  const given = {
    hub: { dataDir, hubId: "h1", baseUrl: "/base/", publicUrl: "https://hub.example" },
    config: Value.Create(AuthConfig),
    clock: systemClock,
    log: pino({ level: "silent" }),
  };

  const ways = await openWays([way("one"), way("two", "end"), way("three")], given);
  const nameless = "/base/hub/oauth_callback";
  assert.deepEqual(callbacks, [[`${nameless}/one`, nameless], [`${nameless}/two`], [`${nameless}/three`]]);
  assert.deepEqual([...addresses], ["https://hub.example"]);
  await ways.close();
  assert.deepEqual(ended.splice(0), ["three", "one"], "an end that fails keeps no other from running");

  await assert.rejects(openWays([way("one"), way("two", "setup")], given), /no setup/);
  assert.deepEqual(ended, ["two", "one"], "a set-up that fails ends those before it");
});
