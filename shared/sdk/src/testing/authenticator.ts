import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { HubError } from "@elara/contracts";
import type { TObject } from "typebox";
import { Value } from "typebox/value";
import type { AuthenticatedUser, Authenticator, AuthPlugin, LoginStart } from "../authenticator.ts";
import { type TestHost, testHost } from "./host.ts";

/** What the suite needs to know of the plugin under test. */
export interface AuthenticatorCase {
  /** Options as an administrator would write them; defaults are filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Form fields (or callback query) that let somebody in. */
  readonly good: Readonly<Record<string, string>>;
  /** The same person with a wrong secret. */
  readonly bad: Readonly<Record<string, string>>;
  /** What `begin` would have returned as state; for redirects. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** Says why the whole suite cannot run here. */
  readonly skip?: string;
  /** How long one log-in may take; default 20,000. */
  readonly timeoutMs?: number;
}

const CALLBACK = "https://hub.example.org/hub/oauth_callback/test";

/**
 * The promises of every authenticator, as tests: declares them with `node:test`, so a call is the start of a plugin's
 * test file. A plugin that lets the wrong one in, gives one person two identities, or logs a secret fails.
 */
export function authenticatorConformance<O extends TObject>(
  plugin: AuthPlugin<O>,
  { options, good, bad, state = {}, skip, timeoutMs = 20_000 }: AuthenticatorCase,
): void {
  describe(`authenticator ${plugin.name} keeps its promises`, { skip: skip ?? false }, () => {
    const hosts: TestHost[] = [];
    after(async () => {
      for (const host of hosts) await host.close();
    });

    const settings = (): unknown => Value.Default(plugin.options, structuredClone(options));
    const setup = async (): Promise<Authenticator> => {
      const host = testHost();
      hosts.push(host);
      return plugin.setup(Value.Parse(plugin.options, settings()), host);
    };
    const finish = async (
      authenticator: Authenticator,
      input: Readonly<Record<string, string>>,
    ): Promise<AuthenticatedUser | undefined> => {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const tooLate = new Promise<never>((_, reject) => {
        late.signal.addEventListener("abort", () => reject(late.signal.reason));
      });
      const call = { input, state, callbackUrl: CALLBACK, signal: late.signal };
      return Promise.race([authenticator.finish(call), tooLate]).finally(() => clearTimeout(timer));
    };

    test("its name, options and errors are well formed", () => {
      assert.match(plugin.name, /^[a-z][a-z0-9-]{0,31}$/, "name: lower-case letters, digits, hyphens");
      assert.deepEqual([...Value.Errors(plugin.options, settings())], [], "the options fit their schema");
      const prefix = `${plugin.name.toUpperCase().replaceAll("-", "_")}_`;
      for (const [code, entry] of Object.entries(plugin.errors)) {
        assert.ok(code.startsWith(prefix), `error code ${code} begins with ${prefix}`);
        assert.ok(entry.status >= 400 && entry.status < 600, `${code} has an HTTP status of an error`);
        assert.ok(entry.user !== "" && entry.operator !== "", `${code} has a sentence for user and operator`);
      }
    });

    test("a log-in begins with a form or a redirect", async () => {
      const start: LoginStart = await (await setup()).begin({ callbackUrl: CALLBACK });
      if (start.kind === "redirect") {
        assert.match(new URL(start.url).protocol, /^https?:$/);
        assert.deepEqual(
          JSON.parse(JSON.stringify(start.state ?? {})),
          start.state ?? {},
          "state is plain JSON",
        );
        return;
      }
      const names = start.fields.map((field) => field.name);
      assert.ok(names.length > 0, "a form has fields");
      assert.equal(new Set(names).size, names.length, "field names differ");
      for (const name of names) assert.match(name, /^[a-z][a-z0-9_]{0,31}$/);
      for (const reserved of ["_xsrf", "next", "authenticator"])
        assert.ok(!names.includes(reserved), reserved);
    });

    test("the right input tells who it is, the same one every time", async () => {
      const first = await setup();
      const user = await finish(first, good);
      assert.ok(user, "the good input is accepted");
      assert.ok(
        user.issuer !== "" && user.subject !== "" && user.name !== "",
        "issuer, subject and name are set",
      );
      assert.deepEqual(await finish(first, good), user, "again");
      assert.deepEqual(await finish(await setup(), good), user, "after a restart");
    });

    test("a wrong secret is refused, without an error", async () => {
      assert.equal(await finish(await setup(), bad), undefined);
    });

    test("input that is missing or odd lets nobody in", async () => {
      const authenticator = await setup();
      const fields = Object.keys(good);
      const odd = ["", "\0", "\ud800", "a".repeat(100_000), "'; --", "../../etc/passwd", "$(id)"];
      const inputs: Record<string, string>[] = [
        {},
        ...fields.map((field) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== field))),
        ...odd.map((text) => Object.fromEntries(fields.map((field) => [field, text]))),
      ];
      await Promise.all(
        inputs.map(async (input) => {
          const shown = JSON.stringify(input).slice(0, 80);
          const answer = await finish(authenticator, input).catch((error: unknown) => {
            assert.ok(error instanceof HubError, `a PluginError, not ${error}, for ${shown}`);
            assert.ok(error.status < 500, `${error.code} is no fault of the hub, for ${shown}`);
          });
          assert.equal(answer, undefined, `nobody is let in by ${shown}`);
        }),
      );
    });

    test("a log-in that is given up ends at once", async () => {
      const authenticator = await setup();
      const giveUp = new AbortController();
      const call = { input: bad, state, callbackUrl: CALLBACK, signal: giveUp.signal };
      const outcome = authenticator.finish(call).catch(() => undefined);
      giveUp.abort();
      const late = Symbol("late");
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<typeof late>((resolve) => {
        timer = setTimeout(resolve, 1500, late);
      });
      assert.equal(await Promise.race([outcome, patience]), undefined);
      clearTimeout(timer);
    });

    test("its own check passes", async () => {
      await (await setup()).check?.();
    });

    test("no secret was logged", () => {
      const logged = inspect(
        hosts.flatMap((host) => host.lines),
        { depth: 8, maxStringLength: null, maxArrayLength: null },
      );
      for (const [field, secret] of Object.entries({ ...good, ...bad }).filter(([name]) => isSecret(name)))
        assert.ok(!logged.includes(secret), `the value of ${field} was logged`);
    });
  });
}

/** Everything but the name: passwords, one-time codes, authorization codes. */
const isSecret = (field: string): boolean => !["username", "user", "name", "login", "iss"].includes(field);
