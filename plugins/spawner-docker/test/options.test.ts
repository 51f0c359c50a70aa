import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { HubError } from "@elara/contracts";
import { type ServerKey, Type } from "@elara/sdk";
import { newTag, testHost } from "@elara/sdk/testing";
import { Value } from "typebox/value";
import { bytesOf, imageOf } from "../src/container.ts";
import plugin from "../src/index.ts";
import { options as schema } from "../src/options.ts";
import { portInside, portOfMachine } from "../src/port.ts";
import { mountsOf, sourceFault } from "../src/volumes.ts";

const options = (more: Record<string, unknown> = {}) =>
  Value.Parse(schema, Value.Default(schema, { images: ["lab:1", "stats:2"], ...more }));
const setup = (more: Record<string, unknown>) => plugin.setup(options(more), testHost());
const volume = (source: string) => ({ source, target: "/work", readOnly: false });
const key = (name: string, server = ""): ServerKey => ({
  tag: "t".repeat(28),
  user: { id: "u1", name },
  server,
  generation: 1,
});
const sourceOf = (template: string, name: string, server = ""): string =>
  mountsOf([volume(template)], key(name, server))[0]?.Source ?? "";

describe("options that cannot work are refused at the start, by name", () => {
  const cases: [more: Record<string, unknown>, name: RegExp][] = [
    [{ image: "other:1" }, /^image: other:1/],
    [{ network: "none" }, /^network:/],
    [{ network: "container:x" }, /^network:/],
    [{ network: "host", publish: "127.0.0.1" }, /^publish:/],
    [{ network: "host", port: 8888 }, /^port:/],
    [{ portRange: [9000, 8000] }, /^portRange: 9000/],
    [{ volumes: [volume("lab-{username}"), volume("{username}")] }, /^volumes\[1\]\.source:/],
  ];
  for (const [more, name] of cases)
    test(JSON.stringify(more), () => {
      assert.throws(
        () => setup(more),
        (error) =>
          error instanceof HubError && error.code === "DOCKER_OPTIONS_INVALID" && name.test(error.operator),
      );
    });

  const ofProfiles: [more: Record<string, unknown>, field: string, operator: RegExp][] = [
    [{ volumes: [volume("/home/{username}{servername}")] }, "volumes", /^volumes\[0\]\.source: needs a \//],
    [{ network: "other" }, "network", /^network: "other" .*"bridge"/],
    [{ images: ["lab:1"] }, "images", /^images: /],
    [{ apiUrl: "http://other:81/hub/api" }, "apiUrl", /^apiUrl: /],
  ];
  for (const [more, field, operator] of ofProfiles)
    test(`also of one start, before the engine is asked: ${JSON.stringify(more)}`, async () => {
      const engine = "unix:///nonexistent/docker.sock";
      const spawner = await setup({ engine });
      const request = {
        ...key("ada"),
        ...{ argv: ["jupyterhub-singleuser"], env: {}, secretEnv: [], servicePrefix: "/user/ada/" },
        options: options({ engine, ...more }),
      };
      const call = { signal: AbortSignal.timeout(5_000), progress: () => {} };
      await assert.rejects(spawner.start(request, call), { code: "DOCKER_OPTIONS_INVALID", field, operator });
    });

  test("the least there can be is fine", () => {
    assert.ok(setup({}));
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
    const request = {
      ...key("ada"),
      options: options({ image: "lab:1@sha256:0" }),
      argv: ["jupyterhub-singleuser"],
      env: {},
      secretEnv: [],
      servicePrefix: "/user/ada/",
    };
    const refused = spawner.start(request, { signal: AbortSignal.timeout(5_000), progress() {} });
    await assert.rejects(refused, { code: "DOCKER_IMAGE_REFUSED", field: "image", status: 400 });
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
  const cases = { "": undefined, "1000": 1000, "512M": 512 * 2 ** 20, "1.5G": 1.5 * 2 ** 30, "64K": 65_536 };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(bytesOf(text), bytes, text);
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
