import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadPlugin } from "@elara/runtime/plugins/load";
import { checkCall, SpawnerBench, standInCommand } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import { spawners as builtIns } from "../src/built-ins.ts";

const examples = fileURLToPath(new URL("../../../deploy/examples/elara.config.ts", import.meta.url));

/** As the hub loads what a configuration names. */
const load = (use: string, configFile: string) => loadPlugin("spawner", use, { builtIns, configFile });

describe("a centre's own file that wraps a built-in spawner", () => {
  test("is found from anywhere, and starts servers with what it adds", async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "elara-wrap-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    writeFileSync(
      join(dir, "mine.ts"),
      `import { Type, wrapSpawner } from "@elara/sdk";
       import local from "@elara/spawner-local";
       export default wrapSpawner(local, {
         name: "mine",
         options: { course: Type.String({ default: "none", userChoice: true }) },
         request: (request) => ({
           argv: [...request.argv, "--course", request.options.course],
           env: { ...request.env, USER: "course-" + request.options.course },
         }),
       });`,
    );
    const plugin = await load("./mine.ts", join(dir, "elara.config.ts"));
    assert.deepEqual([plugin.name, plugin.wraps], ["mine", "local"]);
    const bench = new SpawnerBench(t, plugin, { options: { course: "physics" } });
    const spawner = await bench.spawner();
    await spawner.check?.(...checkCall());
    const server = await bench.start(spawner, bench.request(standInCommand()));
    const facts = await bench.facts(await bench.untilRunning(spawner, server));
    assert.equal(facts.user, "course-physics");
    assert.deepEqual(facts.args.slice(-2), ["--course", "physics"]);
  });

  test("is the example: containers with a choice of software and variables", async () => {
    const plugin = await load("./software-spawner.ts", examples);
    assert.deepEqual([plugin.name, plugin.wraps], ["software", "docker"]);
    const choices = Object.entries<{ userChoice?: boolean }>(plugin.options.properties)
      .filter(([, { userChoice }]) => userChoice)
      .map(([name]) => name);
    assert.ok(choices.includes("software") && !choices.includes("image"));
    const options: unknown = Value.Default(plugin.options, {});
    assert.ok(Value.Check(plugin.options, options), "it needs nothing said in the configuration");
    assert.equal(options.software, "python");
    assert.equal(Object(options).images.length, 2);
  });
});
