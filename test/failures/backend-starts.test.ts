import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Backend } from "../fixtures/backends/backend.ts";
import { backendNames, type Grounds, groundsMissing, openGrounds } from "../fixtures/backends/grounds.ts";
import { openStand, type Stand } from "../fixtures/backends/stand.ts";
import { shapeMissing } from "../fixtures/hub.ts";
import { cancelStart } from "../fixtures/trials/cancel.ts";
import { tellCause } from "../fixtures/trials/cause.ts";
import { CULLER, cullIdle } from "../fixtures/trials/culling.ts";
import { findWithoutHandle } from "../fixtures/trials/lost-handle.ts";
import { outcomeOf } from "../fixtures/trials/outcome.ts";

// Both shapes are tried with every trial by `npm run measure:backends`; here each trial is made once.
const missing = groundsMissing(backendNames) || (await shapeMissing("apart"));

describe("six backends of one hub", { skip: missing }, () => {
  let grounds: Grounds;
  before(async () => {
    if (!missing) grounds = await openGrounds(backendNames);
  });
  after(() => grounds?.close());
  const backendOf = (name: string): Backend => {
    const found = grounds.backends.find((each) => each.name === name);
    assert.ok(found, name);
    return found;
  };

  describe("alone", () => {
    let stand: Stand;
    before(async () => {
      stand = await openStand({ shape: "alone", ...grounds });
    });
    after(() => stand?.close());

    for (const name of backendNames)
      test(`${name}: a start that is cancelled on its way leaves nothing`, { timeout: 120_000 }, async (t) =>
        t.diagnostic(await cancelStart(stand, backendOf(name))),
      );

    test("a session that ends badly tells its owner why", { timeout: 300_000 }, async (t) => {
      const outcomes = await Promise.all(
        grounds.backends.map((backend) => outcomeOf(() => tellCause(stand, backend))),
      );
      for (const [index, { text }] of outcomes.entries()) t.diagnostic(`${backendNames[index]}: ${text}`);
      assert.deepEqual(
        outcomes.filter(({ ok }) => !ok),
        [],
      );
    });
  });

  describe("apart", () => {
    let stand: Stand;
    before(async () => {
      stand = await openStand({ shape: "apart", ...grounds });
    });
    after(() => stand?.close());

    for (const name of backendNames)
      test(
        `${name}: kill -9 between submit and save: found by its tag, and the only one`,
        {
          timeout: 300_000,
        },
        async (t) => t.diagnostic(await findWithoutHandle(stand, backendOf(name))),
      );
  });

  test("the culler ends idle sessions with a warning before, and leaves busy ones alone", {
    timeout: 400_000,
  }, async (t) => {
    const config = { ...grounds.config, culler: CULLER };
    const stand = await openStand({ shape: "apart", ...grounds, config });
    t.after(() => stand.close());
    const outcomes = await cullIdle(stand);
    for (const [index, { text }] of outcomes.entries()) t.diagnostic(`${backendNames[index]}: ${text}`);
    assert.deepEqual(
      outcomes.filter(({ ok }) => !ok),
      [],
    );
  });
});
