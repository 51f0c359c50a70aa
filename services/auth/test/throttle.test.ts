import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { book } from "./authenticators.ts";
import { Stand } from "./stand.ts";

describe("the throttle", () => {
  let stand: Stand;
  const way = book();
  beforeEach(async () => {
    way.asked.length = 0;
    stand = await Stand.open({
      authenticators: [way],
      config: {
        throttle: { failuresPerAddress: 3, failuresPerName: 5, windowSeconds: 60, blockSeconds: 30 },
      },
    });
  });
  afterEach(() => stand.close());

  const statuses = async (times: number, name: string, password: string, address = "192.0.2.1") => {
    const seen: number[] = [];
    for (let i = 0; i < times; i += 1)
      seen.push((await stand.browser(address).login(name, password)).statusCode);
    return seen;
  };

  test("refuses before the authenticator is asked, also the right password, until the time is over", async () => {
    assert.deepEqual(await statuses(4, "ada", "wrong"), [403, 403, 403, 429]);
    assert.equal(way.asked.length, 3);
    const right = await stand.browser().login("ada", "ada-secret");
    assert.equal(right.statusCode, 429);
    const wait = Number(right.headers["retry-after"]);
    assert.ok(wait > 25 && wait <= 30, `${wait}`);
    assert.match(right.body, /Too many failed attempts/);
    assert.equal(way.asked.length, 3);
    stand.advance(31);
    assert.equal((await stand.browser().login("ada", "ada-secret")).statusCode, 302);
  });

  test("other addresses may still try, until the name itself is exhausted", async () => {
    await statuses(4, "ada", "wrong");
    assert.deepEqual(await statuses(1, "ada", "ada-secret", "192.0.2.2"), [302]);
    assert.deepEqual(await statuses(2, "ada", "wrong", "192.0.2.3"), [403, 403]);
    assert.deepEqual(await statuses(1, "ada", "ada-secret", "192.0.2.4"), [429]);
    assert.deepEqual(await statuses(1, "bob", "bob-secret", "192.0.2.4"), [302]);
  });

  test("spelling does not get around it", async () => {
    for (const name of ["ada", " ADA", "ａｄａ"]) await statuses(1, name, "wrong");
    assert.deepEqual(await statuses(1, "Ada", "wrong"), [429]);
  });

  test("many at once cannot outrun the count", async () => {
    stand.meetAt("throttles", 20);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => stand.browser().login("ada", "wrong")),
    );
    assert.equal(answers.filter(({ statusCode }) => statusCode === 403).length, 3);
    assert.equal(way.asked.length, 3);
  });

  test("it is one count for all replicas", async () => {
    const other = await Stand.open({
      with: stand,
      authenticators: [way],
      config: { throttle: { failuresPerAddress: 3 } },
    });
    for (const replica of [stand, other, stand]) await replica.browser().login("ada", "wrong");
    assert.equal((await other.browser().login("ada", "wrong")).statusCode, 429);
    await other.close({ keepStore: true });
  });

  test("success forgets the failures before it, and success alone never blocks", async () => {
    assert.deepEqual(await statuses(2, "ada", "wrong"), [403, 403]);
    assert.deepEqual(await statuses(8, "ada", "ada-secret"), Array(8).fill(302));
    assert.deepEqual(await statuses(2, "ada", "wrong"), [403, 403]);
  });
});

test("a refusal takes its time, however fast the authenticator was", async () => {
  const stand = await Stand.open({ config: { refusalMs: 150 } });
  const start = performance.now();
  assert.equal((await stand.browser().login("nobody", "x")).statusCode, 403);
  assert.ok(performance.now() - start >= 150);
  await stand.close();
});
