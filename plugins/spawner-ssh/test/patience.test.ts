import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { patience } from "../src/patience.ts";

const LATE = new Error("late");

/** Somebody who answers when told to; `asked` counts. */
function somebody() {
  const open: PromiseWithResolvers<string>[] = [];
  const ask = () => {
    const question = Promise.withResolvers<string>();
    open.push(question);
    return question.promise;
  };
  return { open, ask };
}

test("the first question is waited for a while only; its answer counts at the next look", async () => {
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 20, laterMs: 10 });
  await assert.rejects(patient("a", ask, LATE), /late/);
  await assert.rejects(patient("a", ask, LATE), /late/);
  assert.equal(open.length, 1, "it is asked once");
  open[0]?.resolve("one");
  await turn();
  assert.equal(await patient("a", ask, LATE), "one");
  const next = patient("a", ask, LATE);
  assert.equal(open.length, 2, "an answer is used once");
  open[1]?.resolve("two");
  assert.equal(await next, "two");
});

test("an error that comes late is told at the next look, and then it is asked anew", async () => {
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 20, laterMs: 10 });
  await assert.rejects(patient("a", ask, LATE), /late/);
  open[0]?.reject(new Error("refused"));
  await turn();
  await assert.rejects(patient("a", ask, LATE), /refused/);
  await assert.rejects(patient("a", ask, LATE), /refused/, "until there is another answer");
  assert.equal(open.length, 2);
});

test("an answer that was asked for long ago is not used", async () => {
  let at = 0;
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 20, laterMs: 10, now: () => at });
  await assert.rejects(patient("a", ask, LATE), /late/);
  open[0]?.resolve("old");
  at = 61_000;
  const asked = patient("a", ask, LATE);
  open[1]?.resolve("new");
  assert.equal(await asked, "new");
});
