import assert from "node:assert/strict";
import { test } from "node:test";
import { newTag } from "@elara/sdk/testing";
import { SshError } from "@elara/ssh";
import { Value } from "typebox/value";
import { options } from "../src/options.ts";
import { places } from "../src/places.ts";
import { silences } from "../src/silences.ts";

const answers = async () => {};
const fails = (fault: SshError["fault"]) => async () => {
  throw new SshError(fault, "no");
};

test("a machine is silent from an answer that did not come to one that does, a minute at most", async () => {
  let at = 0;
  const { heed, isSilent } = silences(() => at);
  assert.equal(isSilent("a"), false);
  for (const fault of ["unreachable", "host_key", "deadline"] as const) {
    at += 1;
    await assert.rejects(heed("a", fails(fault)), { fault });
    assert.deepEqual([isSilent("a"), isSilent("b")], [true, false]);
    at += 1;
    await heed("a", answers);
    assert.equal(isSilent("a"), false);
  }
  at += 1;
  await assert.rejects(heed("a", fails("unreachable")));
  at += 59_000;
  assert.equal(isSilent("a"), true);
  at += 1_001;
  assert.equal(isSilent("a"), false);
});

test("not one that refuses a log-in, nor one where a single question hangs", async () => {
  let at = 0;
  const { heed, isSilent } = silences(() => at);
  for (const fault of ["login", "credential", "output"] as const)
    await assert.rejects(heed("a", fails(fault)));
  assert.equal(isSilent("a"), false);
  const hung = Promise.withResolvers<void>();
  const question = heed("a", () => hung.promise);
  at = 5;
  await heed("a", answers);
  at = 20;
  hung.reject(new SshError("deadline", "late"));
  await assert.rejects(question);
  assert.equal(isSilent("a"), false);
});

test("`any` passes over machines that are silent, unless all are; others keep their servers", () => {
  const given = { hosts: [{ host: "a" }, { host: "b" }, { host: "c" }], ssh: { privateKey: "/key" } };
  const { chosen } = places(Value.Parse(options, Value.Default(options, given)));
  const tags = Array.from({ length: 200 }, newTag);
  const where = (silent: string[]) =>
    tags.map((tag) => chosen({ tag, options: { host: "any" } }, (name) => silent.includes(name)).name);
  const usual = where([]);
  assert.deepEqual([...new Set(usual)].sort(), ["a", "b", "c"]);
  const without = where(["b"]);
  assert.deepEqual([...new Set(without)].sort(), ["a", "c"]);
  assert.ok(usual.every((name, at) => name === "b" || name === without[at]));
  assert.deepEqual(where(["a", "b", "c"]), usual);
  assert.equal(chosen({ tag: newTag(), options: { host: "b" } }, () => true).name, "b");
});
