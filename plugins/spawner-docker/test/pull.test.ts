import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { benchOn, engine, isThere, skip } from "./fixtures/docker.ts";

describe("an image that is not at the engine", { skip }, () => {
  beforeEach(async () => {
    const { docker, registry } = await engine();
    await docker("container", "prune", "--force");
    await docker("rmi", "--force", registry.image).catch(() => {});
  });

  test("is fetched from its registry, with a few steps that tell how far it is", async (t) => {
    const { registry } = await engine();
    const bench = await benchOn(t, { images: [registry.image] });
    const spawner = await bench.spawner();
    const steps: { step: string; message: string; progress: number }[] = [];
    const server = await bench.start(spawner, bench.request(), {
      ...bench.call(),
      progress: (step, message, progress = -1) => steps.push({ step, message, progress }),
    });
    await bench.untilRunning(spawner, server);
    const pulling = steps.filter(({ step }) => step === "pulling");
    assert.ok(pulling.length >= 2 && pulling.length <= 8, JSON.stringify(steps));
    assert.match(pulling[0]?.message ?? "", new RegExp(registry.image));
    assert.match(pulling.at(-1)?.message ?? "", /2 of 2 layers, [\d.]+ MB of [\d.]+ MB/);
    const numbers = pulling.map(({ progress }) => progress);
    assert.deepEqual(
      numbers.toSorted((a, b) => a - b),
      numbers,
      "progress never goes back",
    );
    assert.deepEqual(steps.slice(-1)[0]?.step, "starting");
  });

  test("is fetched by two starts of one server at once: there is one container", async (t) => {
    const { registry } = await engine();
    const bench = await benchOn(t, { images: [registry.image] });
    const request = bench.request();
    const [one, two] = [await bench.spawner(), await bench.spawner(bench.host.another())];
    const starts = [bench.start(one, request), bench.start(two, bench.repeated(request))];
    const [first, second] = await Promise.all(starts);
    assert.deepEqual(first?.handle, second?.handle);
  });

  test("cancelled while it comes: nothing is made, and nothing comes later", async (t) => {
    const { docker, registry } = await engine();
    const bench = await benchOn(t, { images: [registry.image] });
    const spawner = await bench.spawner();
    const request = bench.request();
    const cancel = new AbortController();
    const progress = (_: string, message: string) => {
      if (message.includes("layers")) cancel.abort();
    };
    await assert.rejects(bench.start(spawner, request, { signal: cancel.signal, progress }), {
      name: "AbortError",
    });
    assert.equal(await isThere(request.tag), false);
    assert.equal(await spawner.locate(request, bench.call()), undefined);
    assert.equal(await docker("images", "--quiet", registry.image), "", "the pull ended with the start");
  });

  test("and not in its registry either is told as missing", async (t) => {
    const { registry } = await engine();
    for (const image of [`${registry.address}/elara/small:2`, `${registry.address}/elara/none:1`]) {
      const bench = await benchOn(t, { images: [image] });
      const request = bench.request();
      await assert.rejects(bench.start(await bench.spawner(), request), { code: "DOCKER_IMAGE_MISSING" });
      assert.equal(await isThere(request.tag), false);
    }
  });

  test("of a registry that does not answer can be tried again", async (t) => {
    const bench = await benchOn(t, { images: ["127.0.0.1:9/elara/small:1"] });
    await assert.rejects(bench.start(await bench.spawner(), bench.request()), {
      code: "DOCKER_PULL_FAILED",
      retryable: true,
    });
  });

  test("is asked for each time where that is wanted", async (t) => {
    const { docker, image, registry } = await engine();
    const name = await registry.push(image, "elara/moving:1");
    await docker("pull", "--quiet", name);
    const bench = await benchOn(t, { images: [name], pull: "always" });
    const spawner = await bench.spawner();
    const steps: string[] = [];
    const progress = (step: string) => steps.push(step);
    const server = await bench.start(spawner, bench.request(), { ...bench.call(), progress });
    await bench.untilRunning(spawner, server);
    assert.ok(steps.includes("pulling"));
  });
});
