import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Type, wrapSpawner } from "@elara/sdk";
import { checkCall, SpawnerBench } from "@elara/sdk/testing";
import plugin from "../src/index.ts";

/** As a centre writes it: a choice of its own, which only the job script reads. */
const wrapped = wrapSpawner(plugin, {
  options: { module: Type.String({ default: "gcc", userChoice: true }) },
});

test("options that a wrapper added stand in the template, each one word of the shell", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "elara-wrapped-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const commands = {
    ...{ sinfo: "echo 'main*|up|infinite|2|2000'", scontrol: "echo 'NodeName=n1 NodeAddr=n1 Port=1 '" },
    ...{ squeue: "true", scancel: "true" },
  };
  for (const [name, text] of Object.entries({ ...commands, sbatch: `cat > ${dir}/script; echo 1` }))
    await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const options = {
    ...{ transport: "local", user: "ada", runDir: join(dir, "run") },
    environment: { PATH: `${dir}:/usr/bin:/bin` },
    script: "#!/bin/sh\nmodule load {{ options.module }}\n{% render 'launch', python: python %}",
  };
  const bench = new SpawnerBench(t, wrapped, { options });
  const spawner = await bench.spawner();
  await spawner.check?.(...checkCall());
  const line = async (module?: string) => {
    const request = bench.request();
    const chosen = { ...request.options, ...(module !== undefined && { module }) };
    await bench.start(spawner, { ...request, options: chosen });
    return (await readFile(join(dir, "script"), "utf8")).split("\n")[1];
  };
  assert.equal(await line(), "module load 'gcc'");
  assert.equal(await line("a'; $(id) #"), "module load 'a'\\''; $(id) #'");
  await assert.rejects(line("a\n#SBATCH -p x"), { code: "BATCH_OPTIONS_INVALID", field: "module" });
});
