import assert from "node:assert/strict";
import { test } from "node:test";
import type { Static, TObject } from "typebox";
import type { Spawner } from "../spawner.ts";
import { type Away, keyOf, type SpawnerBench } from "./spawner-bench.ts";
import type { SpawnerKit } from "./spawner-kit.ts";

/** An instance whose backend is away, and how it comes back. */
async function blinded<O extends TObject, H extends TObject>(
  b: SpawnerBench<O, H>,
  spawner: Spawner<Static<O>, Static<H>>,
  away: Away,
) {
  if (typeof away === "function") return { blind: spawner, back: await away(b.host) };
  return { blind: await b.spawner(b.host.another(), b.options(away.options)), back: async () => {} };
}

/** A backend that cannot be asked: nothing is taken for gone, and all is as before once it is back. */
export function awayPromises<O extends TObject, H extends TObject>({ given, bench }: SpawnerKit<O, H>): void {
  const { away } = given;
  if (away === undefined) {
    test("its backend away, it says that it cannot know", { skip: "the case gives no `away`" });
    return;
  }
  test("its backend away, it says that it cannot know", async (t) => {
    const b = bench(t);
    const request = b.request(given.request?.argv);
    const spawner = await b.spawner();
    const server = await b.start(spawner, request);
    const url = await b.untilRunning(spawner, server);
    const { id } = await b.facts(url);
    const { blind, back } = await blinded(b, spawner, away);
    try {
      // As the hub stored it before its address was known, and after. At once, as a backend may take long to be away.
      const looks = [server, { ...server, url }].map((stored) =>
        blind.observe([stored], b.call()).catch(() => undefined),
      );
      const search = blind.locate(keyOf(request), b.call()).then(
        () => "answered",
        () => "thrown",
      );
      for (const seen of await Promise.all(looks)) {
        const row = seen?.rows.find(({ tag }) => tag === request.tag);
        const told = row?.state ?? (seen?.complete ? "absent from a complete look" : "unknown");
        assert.equal(
          told,
          "unknown",
          `observe says "${told}" of a server nobody can see: throw, be incomplete, or say unknown`,
        );
      }
      assert.equal(await search, "thrown", "locate must throw when the backend cannot be asked");
    } finally {
      await back();
    }
    const still = await b.facts(await b.untilRunning(spawner, server));
    assert.equal(still.id, id, "its backend back, the server is another");
  });
}
