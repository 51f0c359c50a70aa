import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, type TestContext, test } from "node:test";
import { unusedPort } from "@elara/beds/unused-port";
import { HubError } from "@elara/contracts";
import { checkCall, testHost } from "@elara/sdk/testing";
import { benchOn, engine, skip } from "./fixtures/docker.ts";

interface Hub {
  readonly internalHost: string;
  /** What stands in the address servers are told; default: as the hub makes it. */
  readonly seenAs?: string;
  readonly port?: number;
}

/** The spawner of a hub whose internal listener is bound there. */
async function spawnerOf(t: TestContext, options: Record<string, unknown>, { internalHost, ...hub }: Hub) {
  const seenAs = hub.seenAs ?? (internalHost === "0.0.0.0" ? "127.0.0.1" : internalHost);
  const apiUrl = `http://${seenAs}:${hub.port ?? 8081}/jupyter/hub/api`;
  const bench = await benchOn(t, options, { host: () => testHost({ apiUrl, internalHost }) });
  return bench.spawner();
}

const unreachable = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HubError);
  assert.equal(error.code, "DOCKER_HUB_UNREACHABLE");
  assert.match(error.operator, words);
  return true;
};

/** Somebody who listens there and answers this to everybody. */
async function listen(t: TestContext, host: string, body: string): Promise<number> {
  const server = createServer((_, response) => response.end(body)).listen(0, host);
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

describe("the hub's address for containers", { skip }, () => {
  test("is this machine's on their network, when the hub listens there", async (t) => {
    const { network, gateway, defaultGateway } = await engine();
    for (const [name, address] of [
      [network, gateway],
      ["bridge", defaultGateway],
    ] as const)
      for (const internalHost of ["0.0.0.0", address]) {
        const spawner = await spawnerOf(t, { network: name }, { internalHost });
        assert.equal(await spawner.apiUrl?.(), `http://${address}:8081/jupyter/hub/api`);
      }
  });

  test("follows from the default network also where ports are published", async (t) => {
    const { defaultGateway } = await engine();
    const published = { network: "bridge", publish: "127.0.0.1" };
    const spawner = await spawnerOf(t, published, { internalHost: "0.0.0.0" });
    assert.equal(await spawner.apiUrl?.(), `http://${defaultGateway}:8081/jupyter/hub/api`);
  });

  test("is the configured one on this machine's own network, and where it is said", async (t) => {
    const loopback = { internalHost: "127.0.0.1" };
    const host = await spawnerOf(t, { network: "host" }, loopback);
    assert.equal(await host.apiUrl?.(), "http://127.0.0.1:8081/jupyter/hub/api");
    const named = await spawnerOf(t, {}, { internalHost: "0.0.0.0", seenAs: "hub.example.org" });
    assert.equal(await named.apiUrl?.(), "http://hub.example.org:8081/jupyter/hub/api");
    const own = await spawnerOf(t, { apiUrl: "http://hub:81/hub/api" }, loopback);
    assert.equal(await own.apiUrl?.(), "http://hub:81/hub/api");
  });

  test("is refused with the key to set, when the hub listens on loopback only", async (t) => {
    const { gateway } = await engine();
    const spawner = await spawnerOf(t, {}, { internalHost: "127.0.0.1" });
    const words = new RegExp(`network\\.internalHost.*Set it to ${gateway.replaceAll(".", "\\.")}`);
    await assert.rejects(async () => spawner.apiUrl?.(), unreachable(words));
    await assert.rejects(async () => spawner.check?.(...checkCall()), unreachable(words));
  });

  test("cannot be told for a network that is not there", async (t) => {
    const spawner = await spawnerOf(t, { network: "nonexistent" }, { internalHost: "0.0.0.0" });
    for (const work of [() => spawner.apiUrl?.(), () => spawner.check?.(...checkCall())])
      await assert.rejects(async () => work(), { code: "DOCKER_NETWORK_MISSING" });
  });
});

describe("check proves it from inside a container", { skip }, () => {
  test("with a listener of its own, where the hub is not up", async (t) => {
    const { gateway, docker } = await engine();
    for (const [network, internalHost] of [
      [undefined, "0.0.0.0"],
      [undefined, gateway],
      ["host", "127.0.0.1"],
    ] as const) {
      const options = { readOnly: true, ...(network && { network }) };
      const spawner = await spawnerOf(t, options, { internalHost, port: await unusedPort("0.0.0.0") });
      await spawner.check?.(...checkCall());
    }
    assert.equal(
      await docker("ps", "--all", "--quiet", "--filter", "name=elara-check"),
      "",
      "it leaves nothing",
    );
  });

  test("asking the hub, where it is up; somebody else at its port is not the hub", async (t) => {
    const { gateway } = await engine();
    const hub = { internalHost: gateway, port: await listen(t, gateway, '{"version": "5.4.6"}') };
    await (await spawnerOf(t, {}, hub)).check?.(...checkCall());
    const other = { internalHost: gateway, port: await listen(t, gateway, "hello") };
    const spawner = await spawnerOf(t, {}, other);
    await assert.rejects(
      async () => spawner.check?.(...checkCall()),
      unreachable(/does not reach the hub at .*hello/),
    );
  });

  test("an address where nobody can be is told, with what the container met", async (t) => {
    const { docker } = await engine();
    const nowhere = { internalHost: "192.0.2.1", port: 8081 };
    const spawner = await spawnerOf(t, {}, nowhere);
    const words =
      /network "elara-net" does not reach the hub at http:\/\/192\.0\.2\.1:8081.*(timed out|unreachable)/;
    await assert.rejects(async () => spawner.check?.(...checkCall()), unreachable(words));
    assert.equal(await docker("ps", "--all", "--quiet", "--filter", "name=elara-check"), "");
  });

  test("a container the engine refuses is told by its word, and nobody listens afterwards", async (t) => {
    const { gateway } = await engine();
    const port = await unusedPort("0.0.0.0");
    const spawner = await spawnerOf(t, { capAdd: ["NO_SUCH"] }, { internalHost: gateway, port });
    await assert.rejects(async () => spawner.check?.(...checkCall()), {
      code: "DOCKER_OPTIONS_INVALID",
      operator: /^capAdd: .*CAP_NO_SUCH/,
    });
    await assert.rejects(fetch(`http://${gateway}:${port}`), "the port is free again");
  });

  test("with an image that is here; what has to come is told, and nothing is fetched", async (t) => {
    const { image, registry, docker } = await engine();
    const port = await unusedPort("0.0.0.0");
    const check = async (images: string[]) =>
      (await spawnerOf(t, { images }, { internalHost: "0.0.0.0", port })).check?.(...checkCall());
    const notHere = `not here yet, fetched at the first start: ${registry.image}`;
    const proved = `a container of ${image} reaches the hub at http://`;
    assert.ok(String(await check([image])).startsWith(proved));
    const note = String(await check([registry.image, image]));
    assert.ok(note.startsWith(proved) && note.endsWith(`; ${notHere}`), note);
    assert.equal(await check([registry.image]), `not tried from inside a container; ${notHere}`);
    assert.equal(await docker("images", "--quiet", registry.image), "");
  });

  test("an image that is nowhere is told by name, one in a registry is fine", async (t) => {
    const { image, registry } = await engine();
    const port = await unusedPort("0.0.0.0");
    const check = async (options: Record<string, unknown>) =>
      (await spawnerOf(t, options, { internalHost: "0.0.0.0", port })).check?.(...checkCall());
    await check({ images: [image, registry.image] });
    const missing = { code: "DOCKER_IMAGE_MISSING", operator: /small:9/ };
    await assert.rejects(check({ images: [image, `${registry.address}/elara/small:9`] }), missing);
    await assert.rejects(check({ images: [image, registry.image], pull: "never" }), {
      code: "DOCKER_IMAGE_MISSING",
    });
  });
});
