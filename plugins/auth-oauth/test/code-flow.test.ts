import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuthenticatedUser } from "@elara/sdk";
import { testHost } from "@elara/sdk/testing";
import { codeFlow } from "../src/code-flow.ts";
import type { TokenAnswer } from "../src/engine.ts";
import { faults } from "../src/github/errors.ts";
import { CALLBACK } from "./callback.ts";

const ADA: AuthenticatedUser = { issuer: "https://provider.example", subject: "1", name: "ada" };

/** A flow whose exchange ends when the test says so, and what it logged. */
function stand() {
  const host = testHost();
  const exchanged = Promise.withResolvers<TokenAnswer>();
  const flow = codeFlow({
    engine: { begin: () => assert.fail("not begun"), exchange: () => exchanged.promise },
    callbackUrl: "",
    tokenUrl: "https://provider.example/token",
    otherAccount: {},
    faults,
    isIssuer: (iss) => iss === "https://provider.example",
    log: host.log,
    kept: ({ access_token }) => ({ access_token }),
  });
  const giveUp = new AbortController();
  const request = { input: {}, state: {}, callbackUrl: CALLBACK, signal: giveUp.signal };
  return { flow, request, giveUp, exchanged, lines: host.lines };
}

const authState = { access_token: "token" };

test("a log-in that succeeds keeps its tokens", async () => {
  const { flow, request, exchanged } = stand();
  exchanged.resolve({ access_token: "token" });
  assert.equal(await flow.finish(request, async () => ADA), ADA);
});

test("one that is given up during the exchange hands over what comes for its code", async () => {
  const { flow, request, giveUp, exchanged } = stand();
  const outcome = flow.finish(request, () => assert.fail("nobody asks who that is"));
  giveUp.abort(new Error("enough"));
  exchanged.resolve({ access_token: "token" });
  await assert.rejects(outcome, { code: "GITHUB_UNREACHABLE", authState });
});

test("one that is given up while the person is asked for does so too", async () => {
  const { flow, request, giveUp, exchanged } = stand();
  exchanged.resolve({ access_token: "token" });
  const outcome = flow.finish(request, async () => {
    giveUp.abort(new Error("enough"));
    throw giveUp.signal.reason;
  });
  await assert.rejects(outcome, { code: "GITHUB_UNREACHABLE", authState });
});

test("so does one that is refused, or fails in a way that nobody thought of", async () => {
  for (const [thrown, code] of [
    [faults("RATE_LIMITED"), "GITHUB_RATE_LIMITED"],
    [new TypeError("of undefined"), "GITHUB_PROVIDER_ERROR"],
  ] as const) {
    const { flow, request, exchanged } = stand();
    exchanged.resolve({ access_token: "token" });
    const person = async (): Promise<AuthenticatedUser> => {
      throw thrown;
    };
    await assert.rejects(flow.finish(request, person), { code, authState });
  }
});

test("one that was given up before uses no code", async () => {
  const { flow, request, giveUp } = stand();
  giveUp.abort(new Error("enough"));
  await assert.rejects(
    flow.finish(request, async () => ADA),
    /enough/,
  );
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
