import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startHub } from "../fixtures/hub.ts";
import { startServer } from "../fixtures/server.ts";

test("a kernelspec installed once is offered to two users", { timeout: 120_000 }, async (t) => {
  const shared = join(process.env.TMPDIR ?? "/tmp", `elara-kernels-${process.pid}`);
  const folder = join(shared, "kernels", "house");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "kernel.json"),
    JSON.stringify({
      argv: ["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
      display_name: "House Python",
      language: "python",
    }),
  );
  const hub = await startHub({
    shape: "alone",
    config: { spawn: { environment: { JUPYTER_PATH: shared } } },
  });
  t.after(() => hub.close());
  for (const name of ["ada", "grace"]) {
    const token = await hub.token(name);
    await startServer(hub, token, name);
    const answer = await fetch(`${hub.url}/user/${name}/api/kernelspecs`, {
      headers: { authorization: `token ${token}` },
    });
    const { kernelspecs } = (await answer.json()) as { kernelspecs: Record<string, unknown> };
    assert.ok("house" in kernelspecs, `${name} is offered ${Object.keys(kernelspecs)}`);
  }
});
