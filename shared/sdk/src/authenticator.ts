import type { Static, TObject } from "typebox";
import type { AuthState } from "./auth-state.ts";
import type { PluginErrors } from "./errors.ts";
import type { AuthenticatorHost } from "./host.ts";

/** One field of a login form. */
export interface LoginField {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "password";
  readonly autocomplete?: string;
}

/** How a login with this authenticator begins: a form on the hub's page, or a redirect to a provider. */
export type LoginStart =
  | { readonly kind: "form"; readonly fields: readonly LoginField[] }
  | { readonly kind: "redirect"; readonly url: string; readonly state?: Readonly<Record<string, unknown>> };

export interface BeginRequest {
  /** Absolute URL of `/hub/oauth_callback/{name}` as browsers reach it. */
  readonly callbackUrl: string;
  /** The person was refused and wants another account: a provider that can should ask who they are (`prompt`). */
  readonly otherAccount?: boolean;
}

export interface FinishRequest {
  /** Form fields, or query of the callback. Never logged. */
  readonly input: Readonly<Record<string, string>>;
  /** What `begin` returned as `state`, kept by the hub bound to the browser. */
  readonly state: Readonly<Record<string, unknown>>;
  readonly callbackUrl: string;
  readonly signal: AbortSignal;
  /**
   * What the provider gave, told as soon as it is there and before anything else is asked: a hub that is killed then gives
   * it back when it returns. Resolves when it is written; never throws. `authState` of the answer takes its place; without
   * one it stays.
   */
  hold?(authState: AuthState): Promise<void>;
}

/** What the hub keeps of a log-in: as JSON it stands encrypted in one document. */
export const MAX_AUTH_STATE_BYTES = 256 * 1024;

/** All variables of `preSpawn` together, as JSON: they cross the bus in one message. */
export const MAX_PRE_SPAWN_CHARS = 150_000;

/** Who somebody is. (issuer, subject) is the identity; `name` only a label, normalised by the hub. */
export interface AuthenticatedUser {
  /** Who vouches: a provider's issuer URL, or `pam:{realm}`, `dummy:`. */
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  /** true or false sets the admin flag, absent leaves it as it is. */
  readonly admin?: boolean;
  /**
   * true: a rule of the authenticator's own options (a group, an organisation) lets this person in, as a name among the
   * allowed ones would. Absent or false: the hub's rules decide. A restriction is no rule: refuse with a PluginError (403).
   */
  readonly allowed?: boolean;
  readonly authState?: AuthState;
}

/** A log-in whose `authState` was kept. */
export interface KeptLogin {
  readonly authState: AuthState;
  /** The user's name at the hub. */
  readonly userName: string;
  readonly signal: AbortSignal;
}

export interface Authenticator {
  begin(request: BeginRequest): LoginStart | Promise<LoginStart>;
  /**
   * Checks what came back. Returns who it is, or `undefined` for "wrong name or password" (one answer and about the
   * same time for both). Throws a PluginError when the check could not be made. Nothing a provider gave may be lost: what
   * fails after a code was exchanged carries it as `authState`, and an exchange on its way is waited for though `signal`
   * aborts.
   */
  finish(request: FinishRequest): Promise<AuthenticatedUser | undefined>;
  /** Environment for the user's server, made of what was kept; asked anew at every start, seen by the spawner only. */
  preSpawn?(login: KeptLogin): Promise<Readonly<Record<string, string>>>;
  /**
   * The session is over: gives back everything the provider gave, every token. Called again until it resolves, so it must
   * be safe to repeat.
   */
  logout?(login: KeptLogin): Promise<void>;
  /** For `elara check`. */
  check?(): Promise<void>;
}

export interface AuthPlugin<O extends TObject = TObject> {
  readonly kind: "authenticator";
  readonly name: string;
  /** Words on the button, `Sign in with {label}`. */
  readonly label?: string;
  readonly options: O;
  readonly errors: PluginErrors;
  /**
   * Whom a rule of these options lets in (`allowed`), in words for `elara check`: `members of the organisation x`. undefined
   * or absent: they have no rule, so the hub's own decide alone.
   */
  allows?(options: Static<O>): string | undefined;
  setup(options: Static<O>, host: AuthenticatorHost): Authenticator | Promise<Authenticator>;
}

/** Declares an authenticator plugin; options are typed from their schema. */
export const authPlugin = <O extends TObject>(plugin: Omit<AuthPlugin<O>, "kind">): AuthPlugin<O> => ({
  kind: "authenticator",
  ...plugin,
});
