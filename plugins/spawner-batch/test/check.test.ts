import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { unusedPort } from "@elara/beds/unused-port";
import { checkCall, testHost } from "@elara/sdk/testing";
import { formOf } from "../src/form.ts";
import { openStand, skip } from "./fixtures/stand.ts";

const stand = await openStand();

describe("check", { skip }, () => {
  test("goes the whole way with an account, a job included, and leaves nothing", async (t) => {
    const bench = stand.bench(t, { checkAccount: stand.account, checkJob: true });
    const apiUrl = `http://127.0.0.1:${await unusedPort()}/hub/api`;
    const said = await (await bench.spawner(testHost({ apiUrl }))).check?.(...checkCall());
    assert.match(
      String(said),
      /partitions up: main, short; .* a job ran on a node and reached the hub; not tried: /,
    );
    assert.deepEqual(readdirSync(`/home/${stand.account}/.elara/run`), []);
    assert.equal(await stand.bed.run(["squeue", "-h"]), "");
  });

  test("tells when a job does not reach the hub", async (t) => {
    const bench = stand.bench(t, { checkAccount: stand.account, checkJob: true });
    const spawner = await bench.spawner(testHost({ apiUrl: "http://192.0.2.1:9/hub/api" }));
    await assert.rejects(
      async () => spawner.check?.(...checkCall()),
      (error: Error & { code: string; operator: string }) => {
        assert.equal(error.code, "BATCH_HUB_UNREACHABLE", error.operator);
        assert.match(error.operator, /http:\/\/192\.0\.2\.1:9\/hub\/api/);
        return true;
      },
    );
  });

  for (const [what, options, code, words] of [
    [
      "a script that starts nothing",
      { script: "#!/bin/sh\ntrue\n" },
      "BATCH_OPTIONS_INVALID",
      /nothing starts the server/,
    ],
    [
      "a script that speaks of what is not there",
      { script: "#!/bin/sh\n{{ options.modules }}" },
      "BATCH_OPTIONS_INVALID",
      /script: line 2: undefined variable: options.modules/,
    ],
    [
      "commands that are not there",
      { environment: { PATH: "/nonexistent" } },
      "BATCH_SCHEDULER_MISSING",
      /./,
    ],
    ["an account that is not there", { checkAccount: "elara-nobody" }, "BATCH_ACCOUNT_MISSING", /./],
    ["an account that is none", { checkAccount: "-u" }, "BATCH_OPTIONS_INVALID", /checkAccount/],
    ["a Python that is not there", { python: "/nonexistent/python3" }, "BATCH_PYTHON_MISSING", /./],
  ] as const)
    test(`tells ${what}`, async (t) => {
      const given = { checkAccount: stand.account, environment: { ...stand.bed.env }, ...options };
      const spawner = await stand.bench(t, given).spawner();
      await assert.rejects(
        async () => spawner.check?.(...checkCall()),
        (error: Error & { code: string }) => {
          assert.equal(error.code, code, error.message);
          assert.match(error.message, words);
          return true;
        },
      );
    });

  test("the form offers partitions that are up, and what they allow", async (t) => {
    const spawner = await stand.bench(t).spawner();
    assert.deepEqual(await spawner.form?.({ signal: AbortSignal.timeout(5_000) }), {
      partition: { enum: ["main", "short"], default: "main" },
      ...{ walltimeMinutes: { maximum: 480 }, cpus: { maximum: 4 }, memoryMiB: { maximum: 2000 } },
    });
  });
});

test("a template that is none, a login that cannot be: they stop the start of the hub", async (t) => {
  if (skip) return t.skip(skip);
  await assert.rejects(stand.bench(t, { script: "{% if %}" }).spawner(), { code: "BATCH_OPTIONS_INVALID" });
  const login = { host: "127.0.0.1", account: "hub" };
  for (const given of [{}, { login }])
    await assert.rejects(stand.bench(t, { transport: "ssh", ...given }).spawner(), { field: "login" });
});

test("a form without limits sets none, and offers the configured partition also while it is closed", () => {
  const options = { partition: "night" } as Parameters<typeof formOf>[0];
  const open = { name: "day", isDefault: true, isUp: true };
  const closed = { name: "night", isDefault: false, isUp: false, maxMinutes: 5 };
  assert.deepEqual(formOf(options, [open, closed]), {
    partition: { enum: ["night", "day"] },
    ...{ walltimeMinutes: {}, cpus: {}, memoryMiB: {} },
  });
});
