import { inspect } from "node:util";
import type { TObject } from "typebox";
import { Value } from "typebox/value";
import type { AuthState } from "../auth-state.ts";
import type { AuthenticatedUser, Authenticator, AuthPlugin } from "../authenticator.ts";
import { PluginError } from "../errors.ts";
import { type TestHost, testHost } from "./host.ts";

/** Form fields, or the query of a callback. */
export type LoginInput = Readonly<Record<string, string>>;

/** A log-in at a provider that has begun: what a browser would be sent to. */
export interface RedirectStart {
  /** Where `begin` sends the browser. */
  readonly url: string;
  /** The `state` parameter of that URL. */
  readonly state: string;
  readonly callbackUrl: string;
}

interface AnyCase {
  /** Options as an administrator would write them, secrets in clear; defaults are filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Says why the whole suite cannot run here. */
  readonly skip?: string;
  /** How long one log-in may take; default 20,000. */
  readonly timeoutMs?: number;
  /** Default: `https://hub.example.org/hub/oauth_callback/test`. */
  readonly callbackUrl?: string;
  /** Whether a rule of these options lets the good person in (`allowed`). Absent: not looked at. */
  readonly allowed?: boolean;
  /** Texts that may never be logged, besides those the suite knows: input, state, tokens, secret options. */
  readonly secrets?: readonly string[];
  /**
   * Everything that the provider has given and still honours, by any name that stays: tokens. Nothing of it may be left
   * after `logout`, nor after a log-in that came to nothing. Absent: that cannot be looked at.
   */
  readonly live?: () => readonly string[] | Promise<readonly string[]>;
}

/** An authenticator with a form. */
export interface FormCase extends AnyCase {
  /** Form fields that let somebody in. */
  readonly good: LoginInput;
  /** The same person with a wrong secret. */
  readonly bad: LoginInput;
  readonly callback?: undefined;
}

/** An authenticator that sends the browser to a provider. */
export interface RedirectCase extends AnyCase {
  /**
   * Does what the browser does at a real stand-in of the provider: goes to `start.url`, logs in as one and the same
   * person every time, and returns the query with which the provider sends the browser back.
   */
  callback(start: RedirectStart): Promise<LoginInput>;
  /**
   * The same as somebody whom the options keep out, or do not let in: the log-in is refused (PluginError of 4xx), or comes
   * without `allowed`. Absent: the options have no such rule.
   */
  stranger?(start: RedirectStart): Promise<LoginInput>;
  readonly good?: undefined;
  readonly bad?: undefined;
}

/** What the suite needs to know of the plugin under test. */
export type AuthenticatorCase = FormCase | RedirectCase;

/** A log-in up to where the plugin is asked. */
export interface Attempt {
  readonly input: LoginInput;
  /** What `begin` returned as state. */
  readonly state: Readonly<Record<string, unknown>>;
}

export const CALLBACK = "https://hub.example.org/hub/oauth_callback/test";

/** The plugin under test and everything the checks do with it. */
export class AuthenticatorBench<O extends TObject = TObject> {
  readonly plugin: AuthPlugin<O>;
  readonly given: AuthenticatorCase;
  readonly callbackUrl: string;
  readonly hosts: TestHost[] = [];
  readonly #secrets = new Set<string>();

  constructor(plugin: AuthPlugin<O>, given: AuthenticatorCase) {
    this.plugin = plugin;
    this.given = given;
    this.callbackUrl = given.callbackUrl ?? CALLBACK;
    for (const text of [...(given.secrets ?? []), ...this.secretOptions()]) this.#secrets.add(text);
    for (const input of [given.good, given.bad]) if (input) this.#keepSecret(input);
  }

  settings(): unknown {
    return Value.Default(this.plugin.options, structuredClone(this.given.options));
  }

  /** The texts of options with `secret: true`. */
  secretOptions(): string[] {
    return Object.entries(this.plugin.options.properties).flatMap(([name, schema]) => {
      const value = this.given.options[name];
      return "secret" in schema && schema.secret === true && typeof value === "string" && value !== ""
        ? [value]
        : [];
    });
  }

  /** Another process of the hub; `over` are options that differ there. */
  async setup(over: Readonly<Record<string, unknown>> = {}): Promise<Authenticator> {
    const host = testHost({ callbackPaths: [new URL(this.callbackUrl).pathname] });
    this.hosts.push(host);
    return this.plugin.setup(Value.Parse(this.plugin.options, { ...Object(this.settings()), ...over }), host);
  }

  /** Options in which every secret is a wrong one; undefined when there is none. */
  spoiledSecrets(): Readonly<Record<string, string>> | undefined {
    const entries = Object.entries(this.given.options).filter(([, value]) =>
      this.secretOptions().includes(String(value)),
    );
    return entries.length === 0
      ? undefined
      : Object.fromEntries(entries.map(([name, value]) => [name, `wrong${value}`]));
  }

  /** Begins a log-in at the provider. Fails when the plugin has a form. */
  async redirect(
    authenticator: Authenticator,
  ): Promise<RedirectStart & { kept: Readonly<Record<string, unknown>> }> {
    const start = await authenticator.begin({ callbackUrl: this.callbackUrl });
    if (start.kind !== "redirect") throw new Error("begin sends nobody to a provider");
    const state = new URL(start.url).searchParams.get("state") ?? "";
    const kept = start.state ?? {};
    for (const text of [state, ...stringsIn(kept)]) this.#addSecret(text);
    return { url: start.url, state, callbackUrl: this.callbackUrl, kept };
  }

  /** A log-in of the good person, up to `finish`. */
  async attempt(authenticator: Authenticator, as: "callback" | "stranger" = "callback"): Promise<Attempt> {
    if (this.given.callback === undefined) return { input: this.given.good, state: {} };
    const start = await this.redirect(authenticator);
    const input = as === "stranger" ? await this.given.stranger?.(start) : await this.given.callback(start);
    if (input === undefined) throw new Error("the case has no stranger");
    this.#keepSecret(input);
    return { input, state: start.kept };
  }

  /** Asks who it is; `held` gets what the plugin has the hub hold. */
  async finish(
    authenticator: Authenticator,
    { input, state }: Attempt,
    held: AuthState[] = [],
  ): Promise<AuthenticatedUser | undefined> {
    const hold = async (authState: AuthState) => {
      this.#keepTokens({ authState });
      held.push(authState);
    };
    const user = await this.within((signal) =>
      authenticator.finish({ input, state, callbackUrl: this.callbackUrl, signal, hold }),
    );
    this.#keepTokens(user);
    return user;
  }

  /**
   * A log-in of which the hub keeps nothing: as `finish`, then what came with the answer or the error is given back.
   * With a signal of the caller's it is the caller who bounds it.
   */
  async drop(
    authenticator: Authenticator,
    { input, state }: Attempt,
    signal?: AbortSignal,
  ): Promise<AuthenticatedUser | undefined> {
    const call = { input, state, callbackUrl: this.callbackUrl };
    try {
      const user = signal
        ? await authenticator.finish({ ...call, signal })
        : await this.within((late) => authenticator.finish({ ...call, signal: late }));
      this.#keepTokens(user);
      if (user?.authState) await this.logout(authenticator, user.authState);
      return user;
    } catch (error) {
      if (error instanceof PluginError && error.authState) {
        this.#keepTokens({ authState: error.authState });
        await this.logout(authenticator, error.authState);
      }
      throw error;
    }
  }

  /** A log-out, of what went through the store. */
  async logout(authenticator: Authenticator, authState: AuthState): Promise<void> {
    const stored: AuthState = JSON.parse(JSON.stringify(authState));
    await this.within(async (signal) =>
      authenticator.logout?.({ authState: stored, userName: "ada", signal }),
    );
  }

  /** What the provider honours, without what it did `before`; nothing when the case does not let one look. */
  async live(before?: readonly string[]): Promise<string[]> {
    return ((await this.given.live?.()) ?? []).filter((name) => !before?.includes(name));
  }

  /** The good person, logged in. */
  async login(authenticator: Authenticator): Promise<AuthenticatedUser> {
    const user = await this.finish(authenticator, await this.attempt(authenticator));
    if (!user) throw new Error("the right input was refused");
    return user;
  }

  /** A call of the plugin; rejects when it takes longer than a log-in may. */
  async within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs = 20_000 } = this.given;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const tooLate = new Promise<never>((_, reject) => {
      late.signal.addEventListener("abort", () => reject(late.signal.reason), { once: true });
    });
    return Promise.race([work(late.signal), tooLate]).finally(() => clearTimeout(timer));
  }

  /** What was logged of what may not be. */
  logged(): string[] {
    const lines = inspect(
      this.hosts.flatMap((host) => host.lines),
      { depth: 12, maxStringLength: null, maxArrayLength: null, breakLength: Number.POSITIVE_INFINITY },
    );
    return [...this.#secrets].filter(
      (secret) => lines.includes(secret) || lines.includes(encodeURIComponent(secret)),
    );
  }

  async close(): Promise<void> {
    for (const host of this.hosts) await host.close();
  }

  #keepSecret(input: LoginInput): void {
    for (const [field, text] of Object.entries(input)) if (!PUBLIC_FIELDS.has(field)) this.#addSecret(text);
  }

  #keepTokens(user: Pick<AuthenticatedUser, "authState"> | undefined): void {
    for (const text of tokensIn(user?.authState ?? {})) this.#addSecret(text);
  }

  #addSecret(text: string): void {
    if (text.length >= 6) this.#secrets.add(text);
  }
}

/** All else of a log-in's input is secret: passwords, one-time codes, authorization codes. */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set([
  "username",
  "user",
  "name",
  "login",
  "iss",
  "scope",
  "error",
  "error_description",
]);

/** Every string in plain JSON. */
function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** The strings that stand under a key that ends in `token` or `secret`. */
function tokensIn(value: unknown, key = ""): string[] {
  if (typeof value === "string") return /(token|secret)$/i.test(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => tokensIn(each, Array.isArray(value) ? key : name));
}
