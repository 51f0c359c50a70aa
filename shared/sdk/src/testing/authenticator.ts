import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { TObject } from "typebox";
import { Value } from "typebox/value";
import type { AuthenticatedUser, AuthPlugin } from "../authenticator.ts";
import { AuthenticatorBench, type AuthenticatorCase, type LoginInput } from "./authenticator-bench.ts";
import { keptPromises } from "./authenticator-kept.ts";
import { redirectPromises } from "./authenticator-redirect.ts";
import { noFault } from "./no-fault.ts";

/** How long a log-in that was given up may go on. */
const GIVEN_UP_MS = 1500;

/**
 * The promises of every authenticator, as tests: declares them with `node:test`, so a call is the start of a plugin's
 * test file. A plugin that lets the wrong one in, gives one person two identities, takes another browser's log-in, leaves
 * tokens behind or logs a secret fails.
 */
export function authenticatorConformance<O extends TObject>(
  plugin: AuthPlugin<O>,
  given: AuthenticatorCase,
): void {
  describe(`authenticator ${plugin.name} keeps its promises`, { skip: given.skip ?? false }, () => {
    const bench = new AuthenticatorBench(plugin, given);
    after(() => bench.close());

    test("its name, options and errors are well formed", () => {
      assert.match(plugin.name, /^[a-z][a-z0-9-]{0,30}$/, "name: lower-case letters, digits, hyphens");
      assert.deepEqual(
        [...Value.Errors(plugin.options, bench.settings())],
        [],
        "the options fit their schema",
      );
      const prefix = `${plugin.name.toUpperCase().replaceAll("-", "_")}_`;
      for (const [code, entry] of Object.entries(plugin.errors)) {
        assert.ok(code.startsWith(prefix), `error code ${code} begins with ${prefix}`);
        assert.ok(entry.status >= 400 && entry.status < 600, `${code} has an HTTP status of an error`);
        assert.ok(entry.user !== "" && entry.operator !== "", `${code} has a sentence for user and operator`);
      }
    });

    if (given.callback) redirectPromises(bench, given);
    else formPromises(bench, given.good, given.bad);

    test("the right input tells who it is, the same one every time", async () => {
      const first = await bench.setup();
      const user = await bench.login(first);
      assert.ok(
        user.issuer !== "" && user.subject !== "" && user.name !== "",
        "issuer, subject and name are set",
      );
      if (given.allowed !== undefined)
        assert.equal(user.allowed ?? false, given.allowed, "whether a rule of the plugin lets in");
      assert.deepEqual(personOf(await bench.login(first)), personOf(user), "again");
      assert.deepEqual(personOf(await bench.login(await bench.setup())), personOf(user), "after a restart");
    });

    test("input that is missing or odd lets nobody in", async () => {
      const authenticator = await bench.setup();
      const { input, state } = await bench.attempt(authenticator);
      const fields = Object.keys(input);
      // What else a provider sends back (session_state, scope …) a plugin need not read.
      const needed = given.callback ? fields.filter((name) => ["code", "state"].includes(name)) : fields;
      const odd = ["", "\0", "\ud800", "a".repeat(100_000), "'; --", "../../etc/passwd", "$(id)"];
      const inputs: LoginInput[] = [
        {},
        ...needed.map((field) =>
          Object.fromEntries(Object.entries(input).filter(([name]) => name !== field)),
        ),
        ...odd.map((text) => Object.fromEntries(fields.map((field) => [field, text]))),
      ];
      await Promise.all(
        inputs.map(async (each) => {
          const shown = JSON.stringify(each).slice(0, 80);
          const answer = await bench.finish(authenticator, { input: each, state }).catch(noFault(shown));
          assert.equal(answer, undefined, `nobody is let in by ${shown}`);
        }),
      );
    });

    test("a log-in that is given up ends at once", async () => {
      const authenticator = await bench.setup();
      const attempt = given.bad ? { input: given.bad, state: {} } : await bench.attempt(authenticator);
      const giveUp = new AbortController();
      const before = await bench.live();
      const outcome = bench.drop(authenticator, attempt, giveUp.signal).catch(() => undefined);
      giveUp.abort();
      const late = Symbol("late");
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<typeof late>((resolve) => {
        timer = setTimeout(resolve, GIVEN_UP_MS, late);
      });
      const ended = await Promise.race([outcome, patience]);
      clearTimeout(timer);
      assert.notEqual(ended, late, `it goes on after ${GIVEN_UP_MS} ms`);
      // A provider may have said yes by then; the hub gives back what comes late, with an answer or an error.
      assert.deepEqual(await bench.live(before), [], "nothing that the provider gave is honoured any more");
      if (given.bad) assert.equal(ended, undefined, "nobody is let in by it");
    });

    keptPromises(bench, given);

    test("its own check passes", async () => {
      await (await bench.setup()).check?.();
    });

    // Last: of all that was logged.
    test("no secret was logged", () => {
      assert.deepEqual(bench.logged(), [], "passwords, codes, state, tokens and secret options");
    });
  });
}

function formPromises(bench: AuthenticatorBench, good: LoginInput, bad: LoginInput): void {
  test("a log-in begins with a form", async () => {
    const start = await (await bench.setup()).begin({ callbackUrl: bench.callbackUrl });
    assert.ok(
      start.kind === "form",
      "begin redirects: give the case `callback` in place of `good` and `bad`",
    );
    const names = start.fields.map((field) => field.name);
    assert.ok(names.length > 0, "a form has fields");
    assert.equal(new Set(names).size, names.length, "field names differ");
    for (const name of names) assert.match(name, /^[a-z][a-z0-9_]{0,31}$/);
    for (const reserved of ["_xsrf", "next", "authenticator"]) assert.ok(!names.includes(reserved), reserved);
    for (const name of Object.keys(good)) assert.ok(names.includes(name), `the form has the field ${name}`);
  });

  test("a wrong secret is refused, without an error", async () => {
    assert.equal(await bench.finish(await bench.setup(), { input: bad, state: {} }), undefined);
  });
}

/** The person without what is new in each log-in. */
const personOf = ({ authState: _, ...person }: AuthenticatedUser) => person;
