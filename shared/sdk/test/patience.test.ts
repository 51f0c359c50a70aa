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
  await assert.rejects(patient.ask("a", ask, { late: LATE }), /late/);
  await assert.rejects(patient.ask("a", ask, { late: LATE }), /late/);
  assert.equal(open.length, 1, "it is asked once");
  open[0]?.resolve("one");
  await turn();
  assert.equal(await patient.ask("a", ask, { late: LATE }), "one");
  const next = patient.ask("a", ask, { late: LATE });
  assert.equal(open.length, 2, "an answer is used once");
  open[1]?.resolve("two");
  assert.equal(await next, "two");
});

test("an error that comes late is told at the next look, and then it is asked anew", async () => {
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 20, laterMs: 10 });
  await assert.rejects(patient.ask("a", ask, { late: LATE }), /late/);
  open[0]?.reject(new Error("refused"));
  await turn();
  await assert.rejects(patient.ask("a", ask, { late: LATE }), /refused/);
  await assert.rejects(patient.ask("a", ask, { late: LATE }), /refused/, "until there is another answer");
  assert.equal(open.length, 2);
});

test("an answer that was asked for long ago is not used", async () => {
  let at = 0;
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 20, laterMs: 10, now: () => at });
  await assert.rejects(patient.ask("a", ask, { late: LATE }), /late/);
  open[0]?.resolve("old");
  at = 61_000;
  const asked = patient.ask("a", ask, { late: LATE });
  open[1]?.resolve("new");
  assert.equal(await asked, "new");
});

test("a look that has no time left waits for nobody; who is silent is known", async () => {
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 60_000, laterMs: 60_000 });
  assert.equal(patient.isSilent("a"), false);
  await assert.rejects(patient.ask("a", ask, { late: LATE, mostMs: -1 }), /late/);
  assert.equal(patient.isSilent("a"), true);
  open[0]?.resolve("one");
  assert.equal(await patient.ask("a", ask, { late: LATE }), "one");
  assert.equal(patient.isSilent("a"), false);
});

test("a question that was called off counts as never asked", async () => {
  const { open, ask } = somebody();
  const patient = patience<string>({ firstMs: 20, laterMs: 20 });
  const look = new AbortController();
  await assert.rejects(patient.ask("a", ask, { late: LATE, signal: look.signal }), /late/);
  look.abort();
  open[0]?.reject(new Error("called off"));
  await turn();
  const next = patient.ask("a", ask, { late: LATE });
  open[1]?.resolve("two");
  assert.equal(await next, "two");

  const another = new AbortController();
  const cut = assert.rejects(patient.ask("a", ask, { late: LATE, signal: another.signal }), /called off/);
  another.abort();
  open[2]?.reject(new Error("called off"));
  await cut;
  assert.equal(patient.isSilent("a"), false);
});
