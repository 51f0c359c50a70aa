import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { BREAKAGES } from "./broken-wire.ts";

const SUITE = fileURLToPath(new URL("./broken-suite.ts", import.meta.url));

/** Runs the suite, or one promise of it, against a copy. */
async function holds(breakage: string, promise?: string): Promise<{ ok: boolean; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const only = promise?.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = ["--test", "--test-isolation=none", "--test-reporter=tap"];
  if (only !== undefined) args.push(`--test-name-pattern=${only}`);
  const child = spawn(process.execPath, [...args, SUITE], {
    env: { ...env, BREAKAGE: breakage },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { ok: code === 0, output };
}

describe("the bus suite", { concurrency: 2 }, () => {
  it("passes a sound copy", async () => {
    const { ok, output } = await holds("");
    assert.ok(ok, output);
  });
  for (const [breakage, { breaks }] of Object.entries(BREAKAGES)) {
    it(`fails when ${breakage}`, async () => {
      const { ok, output } = await holds(breakage, breaks);
      assert.equal(ok, false, output);
      assert.ok(
        output.split("\n").some((line) => line.includes("not ok") && line.includes(breaks)),
        output,
      );
    });
  }
});
