import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const FIXTURE = fileURLToPath(new URL("./fixtures/faulty-authenticator.ts", import.meta.url));

/** Runs the suite over an authenticator with this fault, in a process of its own; the names of the tests that failed. */
async function failuresWith(fault: string): Promise<string[]> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ["--test", "--test-force-exit", "--test-reporter=tap", FIXTURE], {
    env: { ...env, FAULT: fault },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on("error", reject).on("close", () => resolve());
  await promise;
  assert.match(out, /# tests [1-9]/, "the suite ran");
  return [...out.matchAll(/^ +not ok \d+ - (.*)$/gm)].map(([, name = ""]) => name);
}

test("the authenticator suite passes a sound plugin and finds each fault", {
  concurrency: false,
}, async (t) => {
  assert.deepEqual(await failuresWith(""), []);
  const faults: Record<string, RegExp> = {
    prefix: /well formed/,
    options: /well formed/,
    reserved: /begins with a form/,
    unstable: /the same one every time/,
    any: /a wrong secret is refused/,
    throws: /a wrong secret is refused/,
    default: /missing or odd/,
    crashes: /missing or odd/,
    hangs: /given up ends/,
    check: /its own check/,
    logs: /no secret was logged/,
  };
  for (const [fault, name] of Object.entries(faults))
    await t.test(fault, async () => {
      const failures = await failuresWith(fault);
      assert.ok(
        failures.some((each) => name.test(each)),
        `found instead: ${failures.join("; ") || "nothing"}`,
      );
    });
});
