import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { portInside } from "../src/port.ts";
import { benchOn, engine, inside, inspect, skip, standInVolumes } from "./fixtures/docker.ts";

/** What a file of cgroup v1 or v2 says inside. */
const limit = (tag: string, ...files: string[]) =>
  inside(
    tag,
    "sh",
    "-c",
    `cat ${files.map((file) => `/sys/fs/cgroup/${file}`).join(" ")} 2>/dev/null || true`,
  );

describe("what a container may", { skip }, () => {
  test("limits are set, told, and read back inside", async (t) => {
    const bench = await benchOn(t, { memory: "192M", cpus: 0.5, pidsLimit: 77 });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const { tag } = server;
    assert.equal(await limit(tag, "memory/memory.limit_in_bytes", "memory.max"), String(192 * 2 ** 20));
    const [quota, period] = (
      await limit(tag, "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpu.max")
    ).split(/\s/);
    assert.equal(Number(quota) / Number(period), 0.5);
    assert.equal(await limit(tag, "pids/pids.max", "pids.max"), "77");
    const environment = (await inside(tag, "env")).split("\n");
    assert.ok(environment.includes(`MEM_LIMIT=${192 * 2 ** 20}`));
    assert.ok(environment.includes("CPU_LIMIT=0.5"));
  });

  test("capabilities are dropped, rights cannot be gained", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const facts = await bench.facts(await bench.untilRunning(spawner, server));
    assert.equal(facts.uid, 1000);
    const status = await inside(server.tag, "cat", "/proc/1/status");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd"])
      assert.match(status, new RegExp(`^${set}:\\s+0+$`, "m"));
    assert.match(status, /^NoNewPrivs:\s+1$/m);
  });

  test("some can be left to it", async (t) => {
    const bench = await benchOn(t, { capAdd: ["NET_BIND_SERVICE"], noNewPrivileges: false });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const status = await inside(server.tag, "cat", "/proc/1/status");
    assert.match(status, /^CapBnd:\s+0+400$/m);
    assert.match(status, /^NoNewPrivs:\s+0$/m);
  });

  test("the image's files can be made unchangeable", async (t) => {
    const bench = await benchOn(t, { readOnly: true, tmpfs: { "/home/jovyan": "uid=1000" } });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    await inside(server.tag, "sh", "-c", "echo x >/tmp/x && echo x >/home/jovyan/x");
    await assert.rejects(inside(server.tag, "sh", "-c", "echo x >/var/tmp/x"), /Read-only file system/);
  });

  test("environment and labels are the administrator's, what the hub says wins", async (t) => {
    const bench = await benchOn(t, {
      environment: { COURSE: "physics", JUPYTERHUB_USER: "mallory" },
      labels: { "org.example.unit": "7", "org.elara.tag": "mine" },
    });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const environment = (await inside(server.tag, "env")).split("\n");
    assert.ok(environment.includes("COURSE=physics") && environment.includes("JUPYTERHUB_USER=ada"));
    const labels = JSON.parse(await inspect(server.tag, "{{json .Config.Labels}}"));
    assert.deepEqual(labels, {
      "org.elara.hub": bench.host.hubId,
      "org.elara.port": String(portInside(server.tag, bench.options())),
      "org.elara.server": "",
      "org.elara.tag": server.tag,
      "org.elara.user": "ada",
      "org.example.unit": "7",
    });
  });
});

describe("what a container is given", { skip }, () => {
  test("a volume of its user's own, whatever the name; it outlives the container", async (t) => {
    const volumes = [...standInVolumes, { source: "home-{username}", target: "/home/jovyan/work" }];
    const bench = await benchOn(t, { volumes });
    const spawner = await bench.spawner();
    const user = { id: "u1", name: "../../ada:ro" };
    const first = await bench.start(spawner, { ...bench.request(), user });
    await bench.untilRunning(spawner, first);
    // A new volume belongs to root, as the engine makes it; this is about which one it is.
    const { docker } = await engine();
    await docker("exec", "--user", "0", `elara-${first.tag}`, "sh", "-c", "true >/home/jovyan/work/kept");
    await spawner.stop(first, { graceSeconds: 1, ...bench.call() });
    await bench.untilEnded(spawner, first, "ends");
    await spawner.cleanup?.(first, bench.call());
    const second = await bench.start(spawner, { ...bench.request(), user });
    await bench.untilRunning(spawner, second);
    assert.equal(await inside(second.tag, "ls", "/home/jovyan/work"), "kept");
    const named = "home-_2e_2e_2f_2e_2e_2fada_3aro";
    assert.equal(
      await inspect(second.tag, '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}}{{end}}{{end}}'),
      named,
    );
  });

  test("a folder that is read-only stays so", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    await bench.untilRunning(spawner, server);
    const { docker } = await engine();
    const write = docker(
      "exec",
      "--user",
      "0",
      `elara-${server.tag}`,
      "sh",
      "-c",
      `echo >>${process.execPath}`,
    );
    await assert.rejects(write, /Read-only file system|Text file busy/);
  });

  test("a port of this machine, where it is published", async (t) => {
    const bench = await benchOn(t, { publish: "127.0.0.1", network: "bridge" });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request());
    const url = await bench.untilRunning(spawner, server);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.notEqual(Number(new URL(url).port), portInside(server.tag, bench.options()));
    await bench.facts(url);
  });

  test("one port for all, where that is wanted", async (t) => {
    const bench = await benchOn(t, { port: 8888 });
    const spawner = await bench.spawner();
    const url = await bench.untilRunning(spawner, await bench.start(spawner, bench.request()));
    assert.equal(new URL(url).port, "8888");
    await bench.facts(url);
  });

  test("the network of this machine, with a port of its own", async (t) => {
    const bench = await benchOn(t, { network: "host" });
    const spawner = await bench.spawner();
    const servers = [bench.request(), bench.request()].map((request) => bench.start(spawner, request));
    const ids = new Set<string>();
    for (const server of await Promise.all(servers))
      ids.add((await bench.facts(await bench.untilRunning(spawner, server))).id);
    assert.equal(ids.size, 2);
  });

  test("its last lines are told, also when many were printed, and after its end", async (t) => {
    const bench = await benchOn(t, { logSize: "64k" });
    const spawner = await bench.spawner();
    const code = "for n in range(1, 5001): print('line', n, 'x' * 80)\nprint('gives up')";
    const server = await bench.start(spawner, bench.request(["python3", "-c", code]));
    await bench.untilEnded(spawner, server, "ends");
    const lines = (await spawner.logs?.(server, { lines: 3, ...bench.call() })) ?? [];
    assert.deepEqual(
      lines.map((line) => line.split(" ").slice(0, 2).join(" ")),
      ["line 4999", "line 5000", "gives up"],
    );
  });
});

describe("what cannot be is told by its cause", { skip }, () => {
  const python = (code: string) => ["python3", "-c", code];

  test("more memory than it has", async (t) => {
    const bench = await benchOn(t, { memory: "64M" });
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request(python("held = bytearray(256 << 20)")));
    const row = await bench.untilEnded(spawner, server, "is ended");
    assert.deepEqual(row?.end, { exitCode: 137, signal: "SIGKILL", code: "DOCKER_OUT_OF_MEMORY" });
    assert.match(row?.reason ?? "", /more memory than it has/);
  });

  test("a signal, and an exit code", async (t) => {
    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const killed = await bench.start(spawner, bench.request(python("import os; os.kill(os.getpid(), 15)")));
    const row = await bench.untilEnded(spawner, killed, "is ended");
    assert.deepEqual(row?.end, { exitCode: 143, signal: "SIGTERM" });
    const exited = await bench.start(spawner, bench.request(python("raise SystemExit(7)")));
    const other = await bench.untilEnded(spawner, exited, "is ended");
    assert.deepEqual([other?.end, other?.reason], [{ exitCode: 7 }, "ended with exit code 7"]);
  });

  test("a command that is not in the image, with and without an init program", async (t) => {
    const missing = ["/nonexistent/jupyterhub-singleuser"];
    const plain = await benchOn(t, { init: false });
    const request = plain.request(missing);
    const start = plain.start(await plain.spawner(), request);
    await assert.rejects(start, { code: "DOCKER_COMMAND_MISSING" });
    await assert.rejects(inspect(request.tag, "{{.Id}}"), /No such (object|container)/i);

    const bench = await benchOn(t);
    const spawner = await bench.spawner();
    const server = await bench.start(spawner, bench.request(missing));
    const row = await bench.untilEnded(spawner, server, "is ended");
    assert.equal(row?.end?.code, "DOCKER_COMMAND_MISSING");
  });

  const cases: [what: string, options: Record<string, unknown>, code: string][] = [
    [
      "a folder that is not there",
      { volumes: [{ source: "/nonexistent", target: "/x" }] },
      "DOCKER_VOLUME_UNUSABLE",
    ],
    ["a network that is not there", { network: "nonexistent" }, "DOCKER_NETWORK_MISSING"],
    [
      "an image that must not be fetched",
      { images: ["elara-test/none:1"], pull: "never" },
      "DOCKER_IMAGE_MISSING",
    ],
    ["a capability that there is not", { capAdd: ["NONEXISTENT"] }, "DOCKER_OPTIONS_INVALID"],
    ["more processors than the machine has", { cpus: 9000 }, "DOCKER_OPTIONS_INVALID"],
    ["a mount option that there is not", { tmpfs: { "/x": "odd" } }, "DOCKER_REFUSED"],
  ];
  for (const [what, options, code] of cases)
    test(what, async (t) => {
      const bench = await benchOn(t, options);
      const request = bench.request();
      await assert.rejects(bench.start(await bench.spawner(), request), { code });
      await assert.rejects(inspect(request.tag, "{{.Id}}"), /No such (object|container)/i);
    });
});
