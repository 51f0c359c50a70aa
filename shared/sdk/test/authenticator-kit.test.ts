import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Runs the suite over an authenticator with this fault, in a process of its own; the names of the tests that failed. */
async function failuresWith(fixture: string, fault: string): Promise<string[]> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const file = fileURLToPath(new URL(`./fixtures/${fixture}.ts`, import.meta.url));
  const child = spawn(process.execPath, ["--test", "--test-force-exit", "--test-reporter=tap", file], {
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

const forms: Readonly<Record<string, RegExp>> = {
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
const redirects: Readonly<Record<string, RegExp>> = {
  "same-state": /redirect of its own/,
  "odd-state": /redirect of its own/,
  "large-state": /redirect of its own/,
  "tells-secret": /redirect of its own/,
  memory: /another process began/,
  foreign: /foreign state/,
  denied: /says no at the provider/,
  crashes: /missing or odd/,
  rule: /the same one every time/,
  stranger: /a stranger/,
  "refuses-and-leaks": /a stranger/,
  forgets: /a stranger/,
  "gives-up": /given up after its code was exchanged/,
  "odd-auth-state": /plain JSON/,
  "large-auth-state": /plain JSON/,
  "hub-variable": /plain JSON/,
  "large-variable": /plain JSON/,
  "large-variables": /plain JSON/,
  "bad-name": /plain JSON/,
  number: /plain JSON/,
  "holds-less": /has the hub hold/,
  once: /gives everything back/,
  leaves: /gives everything back/,
  deaf: /does not believe/,
  "logs-code": /no secret was logged/,
  "logs-token": /no secret was logged/,
  "logs-verifier": /no secret was logged/,
};

for (const [fixture, faults] of Object.entries({
  "faulty-authenticator": forms,
  "faulty-redirect": redirects,
}))
  test(`the authenticator suite passes a sound plugin and finds each fault: ${fixture}`, {
    concurrency: false,
  }, async (t) => {
    assert.deepEqual(await failuresWith(fixture, ""), []);
    for (const [fault, name] of Object.entries(faults))
      await t.test(fault, async () => {
        const failures = await failuresWith(fixture, fault);
        assert.ok(
          failures.some((each) => name.test(each)),
          `found instead: ${failures.join("; ") || "nothing"}`,
        );
      });
  });

test("a stranger may be refused with an error that carries what was given, and so may end who is given up", async () => {
  for (const sound of ["refuses", "slow"])
    assert.deepEqual(await failuresWith("faulty-redirect", sound), [], sound);
});
