import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { type ServerKey, Type } from "@elara/sdk";
import { newTag, testHost } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import { confinement, imageOf } from "../src/container.ts";
import plugin from "../src/index.ts";
import { bytesOf } from "../src/limits.ts";
import { options as schema } from "../src/options.ts";
import { portInside, portOfMachine } from "../src/port.ts";
import { mountsOf, sourceFault } from "../src/volumes.ts";

const options = (more: Record<string, unknown> = {}) =>
  Value.Parse(schema, Value.Default(schema, { images: ["lab:1", "stats:2"], ...more }));
const setup = (more: Record<string, unknown>) => plugin.setup(options(more), testHost());
const volume = (source: string, target = "/work") => ({ source, target, readOnly: false });
const call = { signal: AbortSignal.timeout(5_000), progress: () => {} };
const key = (name: string, server = ""): ServerKey => ({
  tag: "t".repeat(28),
  user: { id: "u1", name },
  server,
});
const sourceOf = (template: string, name: string, server = ""): string =>
  mountsOf([volume(template)], key(name, server))[0]?.Source ?? "";

describe("options that cannot work are refused by name, before the engine is asked", () => {
  const engine = "unix:///nonexistent/docker.sock";
  const cases: [more: Record<string, unknown>, field: string, operator: RegExp][] = [
    [{ network: "none" }, "network", /^network: .*cannot reach/],
    [{ network: "container:x" }, "network", /^network: .*cannot reach/],
    [{ network: "host", publish: "127.0.0.1" }, "publish", /^publish:/],
    [{ publish: "127.0.1" }, "publish", /^publish: 127\.0\.1 is no IPv4 address/],
    [{ environment: { A: "", "B=C": "1" } }, "environment", /^environment\["B=C"\]: /],
    [{ environment: { "": "1" } }, "environment", /^environment\[""\]: /],
    [{ network: "host", port: 8888 }, "port", /^port:/],
    [{ portRange: [9000, 8000] }, "portRange", /^portRange: 9000/],
    [{ memory: "4" }, "memory", /^memory: 4 is less than 6M/],
    [{ memory: "512K" }, "memory", /^memory: 512K/],
    [{ memory: "0" }, "memory", /^memory: 0 is less/],
    [{ memory: "99999999999999T" }, "memory", /^memory: 99999999999999T is more than any machine has/],
    [{ cpus: 0.001 }, "cpus", /^cpus: 0\.001 is less than 0\.01/],
    [{ cpus: 1e-10 }, "cpus", /^cpus: 1e-10 is less/],
    [{ tmpfs: { rel: "x" } }, "tmpfs", /^tmpfs\["rel"\]: .*begins with \//],
    [{ tmpfs: { "/": "" } }, "tmpfs", /^tmpfs\["\/"\]: .*root/],
    [{ capAdd: ["NET_RAW", "FLY"] }, "capAdd", /^capAdd\[1\]: "FLY" is no capability/],
    [{ capDrop: ["net_raww"] }, "capDrop", /^capDrop\[0\]: "net_raww" is no capability/],
    [
      { volumes: [volume("lab-{username}"), volume("{username}", "/b")] },
      "volumes",
      /^volumes\[1\]\.source:/,
    ],
    [{ volumes: [volume("/home/{username}{servername}")] }, "volumes", /^volumes\[0\]\.source: needs a \//],
    [{ volumes: [volume("a", "/b/../etc")] }, "volumes", /^volumes\[0\]\.target: must not lead upwards/],
    [{ volumes: [volume("a", "/./")] }, "volumes", /^volumes\[0\]\.target: .*root/],
    [{ volumes: [volume("a"), volume("b", "/work/")] }, "volumes", /^volumes\[1\]\.target: .*volumes\[0\]/],
    [{ volumes: [volume("a")], tmpfs: { "/work": "" } }, "volumes", /^volumes\[0\]\.target: .*tmpfs/],
  ];
  for (const [more, field, operator] of cases)
    test(JSON.stringify(more), async () => {
      const wrong = options({ engine, ...more });
      const spawner = await plugin.setup(wrong, testHost());
      await assert.rejects(async () => spawner.checkOptions?.(wrong, call), {
        ...{ code: "DOCKER_OPTIONS_INVALID", field, operator },
      });
    });

  const configured: [more: Record<string, unknown>, field: string, operator: RegExp][] = [
    [{ network: "other" }, "network", /^network: "other" .*"bridge"/],
    [{ images: ["lab:1"] }, "images", /^images: /],
    [{ apiUrl: "http://other:81/hub/api" }, "apiUrl", /^apiUrl: /],
  ];
  for (const [more, field, operator] of configured)
    test(`of one start other than configured: ${JSON.stringify(more)}`, async () => {
      const spawner = await setup({ engine });
      await assert.rejects(async () => spawner.checkOptions?.(options({ engine, ...more }), call), {
        ...{ code: "DOCKER_OPTIONS_INVALID", field, operator },
      });
    });

  test("what can work is fine", async () => {
    const spawner = await setup({});
    const volumes = [volume("a"), volume("b", "/work/data"), volume("c", "/..hidden")];
    const capAdd = ["NET_RAW", "cap_chown", "ALL"];
    for (const more of [{}, { memory: "512M" }, { memory: "" }, { volumes }, { capAdd }])
      await spawner.checkOptions?.(options(more), call);
  });
});

describe("the allow-list of images", () => {
  test("gives its first when nothing was chosen, and a tag to what has none", () => {
    assert.equal(imageOf(options()), "lab:1");
    assert.equal(imageOf(options({ image: "stats:2" })), "stats:2");
    assert.equal(
      imageOf(options({ images: ["hub.example.org:5000/lab"] })),
      "hub.example.org:5000/lab:latest",
    );
  });

  test("refuses all else at its field, before the engine is asked", async () => {
    const spawner = await setup({ engine: "unix:///nonexistent/docker.sock" });
    await assert.rejects(async () => spawner.checkOptions?.(options({ image: "lab:1@sha256:0" }), call), {
      code: "DOCKER_IMAGE_REFUSED",
      field: "image",
      status: 400,
    });
  });

  test("is what the form offers", async () => {
    const spawner = await setup({});
    assert.deepEqual(await spawner.form?.({ signal: AbortSignal.timeout(1_000) }), {
      image: { enum: ["lab:1", "stats:2"], default: "lab:1" },
    });
  });
});

describe("the templates of volumes", () => {
  const hostile = [
    "../../etc",
    "..",
    ".",
    "/",
    "a/b",
    "a:ro",
    "{servername}",
    "$&",
    "A",
    "a\0b",
    "ä",
    "~",
    "",
  ];

  test("leave usual names as they are", () => {
    assert.equal(sourceOf("lab-{username}", "ada"), "lab-ada");
    assert.equal(
      sourceOf("/srv/homes/{username}", "ada.lovelace@example.org"),
      "/srv/homes/ada.lovelace@example.org",
    );
  });

  test("never lead out of their folder, nor give two users one", () => {
    const folders = [...hostile, "x".repeat(300), "x".repeat(301)].map((name) =>
      sourceOf("/srv/{username}", name),
    );
    for (const folder of folders) assert.match(folder, /^\/srv\/[a-z0-9_@+=-][a-z0-9_@+=.-]*$/);
    assert.equal(new Set(folders).size, folders.length);
  });

  test("give names that engines take", () => {
    const names = [...hostile, "x".repeat(300), "x".repeat(301)].map((name) =>
      sourceOf("lab-{username}", name),
    );
    for (const name of names) assert.match(name, /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
    assert.equal(new Set(names).size, names.length);
  });

  test("tell user and server apart", () => {
    for (const template of ["lab-{username}-{servername}", "/srv/{username}/{servername}"]) {
      assert.equal(sourceFault(volume(template)), undefined);
      const pairs = [
        ["a", "b-c"],
        ["a-b", "c"],
        ["a", ""],
        ["a-", ""],
        ["a", "-"],
        ["a/b", ""],
        ["a", "b/"],
      ] as const;
      const sources = pairs.map(([name, server]) => sourceOf(template, name, server));
      assert.equal(new Set(sources).size, pairs.length, sources.join(" "));
    }
  });

  for (const source of [
    ..."{username}{servername} lab-{username}{servername} lab-{username}_{servername}".split(" "),
    ..."/srv/{username}-{servername} /srv/../{username} lab-{user} lab/{username} -lab".split(" "),
  ])
    test(`${source} is refused`, () => {
      assert.notEqual(sourceFault(volume(source)), undefined);
    });
});

test("memory is counted as people write it", () => {
  const cases = {
    ...{ "": undefined, "10000000": 1e7, "512M": 512 * 2 ** 20, "1.5G": 1.5 * 2 ** 30, "8192K": 2 ** 23 },
  };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(bytesOf(text), bytes, text);
});

describe("a limit too large or too small to be told never becomes none", () => {
  const cases: [field: "memory" | "cpus", value: string | number][] = [
    ["memory", `${"9".repeat(400)}T`],
    ["memory", "9999T"],
    ["memory", "0.0000000001"],
    ["cpus", 1e300],
    ["cpus", 1e8],
    ["cpus", 1e-10],
  ];
  for (const [field, value] of cases)
    test(`${field} ${String(value).slice(0, 20)}`, () => {
      const given = { ...options(), [field]: value };
      assert.throws(() => confinement(given), { code: "DOCKER_OPTIONS_INVALID", field, status: 400 });
    });

  test("the form's schema knows of it too", () => {
    for (const more of [{ memory: `${"9".repeat(400)}T` }, { cpus: 1e300 }])
      assert.throws(() => options(more), JSON.stringify(more));
  });
});

describe("an engine that cannot be opened is told by the option's name, with what to write", () => {
  const cases: [more: Record<string, unknown>, field: string, operator: RegExp][] = [
    [{ engine: "tcp://:x" }, "engine", /^engine: tcp:\/\/:x is no address.*tcp:\/\/host:2375/],
    [{ engine: "tcp:///sock" }, "engine", /^engine: .* is no address/],
    [
      { engine: "https://host:2376", tlsDir: "/nope" },
      "tlsDir",
      /^tlsDir: \/nope\/ca\.pem cannot be read.*key\.pem/,
    ],
  ];
  for (const [more, field, operator] of cases)
    test(JSON.stringify(more), async () => {
      await assert.rejects(async () => setup(more), { code: "DOCKER_OPTIONS_INVALID", field, operator });
    });
});

describe("the port of a server", () => {
  const tags = Array.from({ length: 200 }, newTag);

  test("is of the range, the same for one tag, and another one for another start", () => {
    const ports = tags.map((tag) => portInside(tag, options()));
    assert.deepEqual(
      tags.map((tag) => portInside(tag, options())),
      ports,
    );
    for (const port of ports) assert.ok(port >= 20_000 && port <= 29_999);
    assert.ok(new Set(ports).size > 150);
    assert.equal(portInside(newTag(), options({ port: 8888 })), 8888);
  });

  test("of this machine is one that nobody has, and told when there is none", async (t) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    await assert.rejects(portOfMachine(newTag(), options({ portRange: [port, port] })), {
      code: "DOCKER_NO_PORT",
      status: 503,
    });
    const first = port - 5;
    for (const tag of tags.slice(0, 20))
      assert.notEqual(await portOfMachine(tag, options({ portRange: [first, port] })), port);
  });
});

test("memory and processors are choices only where a profile names them", () => {
  const userChoice = (name: "image" | "memory" | "cpus") =>
    Reflect.get(Type.Index(schema, [name]), "userChoice");
  assert.deepEqual(["named", "named", true], [userChoice("memory"), userChoice("cpus"), userChoice("image")]);
});
