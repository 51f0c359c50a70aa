import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthenticatedUser } from "@elara/sdk";
import { testHost } from "@elara/sdk/testing";
import { codeFlow } from "../src/code-flow.ts";
import type { TokenAnswer } from "../src/engine.ts";
import { faults } from "../src/github/errors.ts";
import { CALLBACK } from "./callback.ts";

const ADA: AuthenticatedUser = { issuer: "https://provider.example", subject: "1", name: "ada" };

/** A flow whose exchange ends when the test says so, and what it gave back. */
function stand() {
  const host = testHost();
  const exchanged = Promise.withResolvers<TokenAnswer>();
  const returned: string[] = [];
  const back = Promise.withResolvers<void>();
  const flow = codeFlow({
    engine: { begin: () => assert.fail("not begun"), exchange: () => exchanged.promise },
    callbackUrl: "",
    tokenUrl: "https://provider.example/token",
    otherAccount: {},
    faults,
    isIssuer: (iss) => iss === "https://provider.example",
    refused: () => assert.fail("not refused"),
    log: host.log,
    async giveBack({ access_token }) {
      returned.push(access_token);
      back.resolve();
    },
  });
  const giveUp = new AbortController();
  const request = { input: {}, state: {}, callbackUrl: CALLBACK, signal: giveUp.signal };
  return { flow, request, giveUp, exchanged, returned, back: back.promise, lines: host.lines };
}

test("a log-in that succeeds keeps its tokens", async () => {
  const { flow, request, exchanged, returned } = stand();
  exchanged.resolve({ access_token: "token" });
  assert.equal(await flow.finish(request, async () => ADA), ADA);
  assert.deepEqual(returned, []);
});

test("one that is given up during the exchange ends at once, and what comes late is given back", async () => {
  const { flow, request, giveUp, exchanged, returned, back } = stand();
  const outcome = flow.finish(request, () => assert.fail("nobody asks who that is"));
  giveUp.abort(new Error("enough"));
  await assert.rejects(outcome, /enough/);
  exchanged.resolve({ access_token: "late" });
  await back;
  assert.deepEqual(returned, ["late"]);
});

test("one that is given up while the person is asked for gives back too", async () => {
  const { flow, request, giveUp, exchanged, returned, back } = stand();
  exchanged.resolve({ access_token: "token" });
  const outcome = flow.finish(request, async () => {
    giveUp.abort(new Error("enough"));
    return ADA;
  });
  await assert.rejects(outcome, /enough/);
  await back;
  assert.deepEqual(returned, ["token"]);
});

test("one that was given up before uses no code", async () => {
  const { flow, request, giveUp, returned } = stand();
  giveUp.abort(new Error("enough"));
  await assert.rejects(
    flow.finish(request, async () => ADA),
    /enough/,
  );
  assert.deepEqual(returned, []);
});

test("a refusal is logged with its reason, for the hub logs only what is no fault of the person", async () => {
  for (const [fault, level] of [
    ["ISSUER_MISMATCH", "warn"],
    ["DENIED", "info"],
    ["UNREACHABLE", undefined],
  ] as const) {
    const { flow, request, exchanged, lines } = stand();
    exchanged.resolve({ access_token: "token" });
    const person = async (): Promise<AuthenticatedUser> => {
      throw faults(fault);
    };
    await assert.rejects(flow.finish(request, person), { code: `GITHUB_${fault}` });
    assert.deepEqual(
      lines.map((line) => line.level),
      level ? [level] : [],
    );
    if (level) assert.equal(Object(lines[0]?.fields).code, `GITHUB_${fault}`);
  }
});
