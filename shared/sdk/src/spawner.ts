import type { Static, TObject } from "typebox";
import type { PluginErrors } from "./errors.ts";
import type { SpawnerHost } from "./host.ts";

/** One life of one server of one user: what is known of it before it is submitted and after everything was lost. */
export interface ServerKey {
  /**
   * Identity at the backend: 28 lower-case letters and digits, other ones in each life of a server. Stamp it on whatever
   * is made (folder, container label, job name). `start` is idempotent on it.
   */
  readonly tag: string;
  readonly user: {
    readonly id: string;
    /** Label; never build paths, shell words or keys from it without encoding. Does not change while the server lives. */
    readonly name: string;
  };
  /** Name of the server, "" for the default one. */
  readonly server: string;
}

/** A server with what the hub stored of it. */
export interface StoredServer<Handle> extends ServerKey {
  /** What `start` or `locate` returned. */
  readonly handle: Handle;
  /** The address of its last row that had one, `http://host:port`; "" while none is known. */
  readonly url: string;
}

/** What the hub asks for. */
export interface SpawnRequest<Options = unknown> extends ServerKey {
  /** Validated against the plugin's `options` schema, defaults filled in: configuration overlaid with the user's choices. */
  readonly options: Options;
  /** Command and arguments, e.g. `["jupyterhub-singleuser"]`. */
  readonly argv: readonly string[];
  /**
   * Environment of the server: all `JUPYTERHUB_*` values of the contract but `JUPYTERHUB_SERVICE_URL`, which the
   * backend sets once it knows host and port: `http://{bind address}:{port}{servicePrefix}`. Any value may be secret, the
   * server's token is: never on a command line, in a log, in a job record.
   */
  readonly env: Readonly<Record<string, string>>;
  /** `/user/ada/`. */
  readonly servicePrefix: string;
}

export interface StartCall {
  /**
   * Aborted when the start is cancelled or its clock ran out, not when another process of the hub took over: take back
   * what this very call made, and throw. What another start of the tag made stays, for whoever took over may have it; the hub
   * finds it by `locate`. Where the call cannot know whose it is, it stays too.
   */
  readonly signal: AbortSignal;
  /**
   * One step for the user's page. `step` is a short constant word, `progress` 0 to 100. Each call winds the clock of
   * the submit up again: a pull that goes on is not cut off.
   */
  progress(step: string, message: string, progress?: number): void;
}

/** Canonical states of a server at its backend. */
export type RowState =
  | "submitting"
  | "queued"
  | "held"
  | "starting"
  | "running"
  | "suspended"
  | "stopping"
  | "ended"
  | "lost"
  | "unknown";

/** What a backend knows of one server. */
export interface Row {
  readonly tag: string;
  readonly state: RowState;
  /** Why it is in this state, for people: a queue reason, an exit cause. */
  readonly reason?: string;
  /**
   * Where it listens, `http://host:port`, as soon as it is seen to be this server's own: users are routed there, also when
   * it changes, and nobody checks again whose it is.
   */
  readonly url?: string;
  /** For `ended`: what is known of its end. `code` is a key of the plugin's errors or absent. */
  readonly end?: { readonly exitCode?: number; readonly signal?: string; readonly code?: string };
  /** End of the allocation, UTC, where the backend has one. */
  readonly endsAt?: string;
}

/** One look at a backend. It must begin after the call: an absence counts for every handle given. */
export interface Observation {
  /** True when everything the backend has was seen. Only then does an absence count. */
  readonly complete: boolean;
  /** One row for each known handle the backend has; may hold more. */
  readonly rows: readonly Row[];
}

/** JSON Schema keywords laid over one field of `options` for the form and its check: they narrow it, never widen. */
export interface FieldKeywords {
  readonly title?: string;
  readonly description?: string;
  readonly enum?: readonly (string | number)[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

/**
 * A backend. Handles come as they were stored, perhaps by another version of the plugin: of one it does not know
 * `observe` says `unknown`; `stop`, `logs` and `cleanup` go by the tag or throw, never by a guess at its fields.
 */
export interface Spawner<Options, Handle> {
  /**
   * Submits and returns as soon as the handle can be stored; never waits for the server. Idempotent on `request.tag`:
   * called twice, also from two processes and with another `env`, there is one server,
   * with the environment of one of them. Of a server that has ended it returns the handle and starts nothing: a tag
   * lives once, until `cleanup`. What a start left that died half-way, made but not begun, is `submitting` or `starting`,
   * `locate` finds it, and a further start finishes it. Environment and arguments arrive as they are, whatever
   * characters are in them. Throws a PluginError with a cause for the user; then nothing of it is left, or `locate` finds
   * it. With `nothingMade` it promises that there is nothing to find: the hub does not search. Without, it searches until
   * the backend has answered, and the next start of this server waits for that.
   */
  start(request: SpawnRequest<Options>, call: StartCall): Promise<Handle>;
  /**
   * One call for many servers of this backend; often for those that move only. When the backend cannot be asked it
   * throws, is incomplete, or says `unknown`: never `ended` or `lost`, and never complete without a row.
   */
  observe(
    servers: readonly StoredServer<Handle>[],
    call: { readonly signal: AbortSignal },
  ): Promise<Observation>;
  /**
   * Idempotent; valid in every phase, also while queued; succeeds when the server is already gone. Returns once asked,
   * need not wait for the end. Ending it by force after `graceSeconds` (0: at once; may be a fraction) is the plugin's or
   * its backend's part, also when nobody calls again. `signal` ends the asking, not the stop: the hub's time for the call
   * is up or another process took over; it asks again.
   */
  stop(
    server: StoredServer<Handle>,
    call: { readonly graceSeconds: number; readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * Finds what `start` made for this tag and has not ended, also when the handle was lost between submit and save. Throws
   * when the backend cannot be asked. Its own error with a status of 4xx that is not retryable (no such account) says that
   * asking again is in vain: once a submit's time is over, that counts as "not there". Where several places are asked, one
   * that does not answer comes before one that refuses.
   */
  locate(key: ServerKey, call: { readonly signal: AbortSignal }): Promise<Handle | undefined>;
  /** Last lines of the server's own output, newest last; kept after its end until `cleanup`. */
  logs?(
    server: StoredServer<Handle>,
    call: { readonly lines: number; readonly signal: AbortSignal },
  ): Promise<string[]>;
  /**
   * Fields of `options` as they are offered here and now: allowed images, partitions that are up. Laid over the
   * `userChoice` fields of the schema by name; asked at the start of the hub and every ten minutes.
   */
  form?(call: { readonly signal: AbortSignal }): Promise<Readonly<Record<string, FieldKeywords>>>;
  /**
   * What the schema cannot say: values that exclude each other, an image outside the list, more than a partition allows.
   * Throws a PluginError whose `field` is the option. The hub calls it with whole options (configuration, profile, choices,
   * defaults): of each spawner and profile at `elara check` and when it starts, of each start when it is ordered and before
   * `start`, so neither `setup` nor `start` need to. An error without `field` says that nobody can tell now: the hub starts all
   * the same, a server does not.
   */
  checkOptions?(options: Options, call: { readonly signal: AbortSignal }): void | Promise<void>;
  /** The hub's API as servers of this backend reach it; absent: `host.apiUrl`. */
  apiUrl?(): Promise<string>;
  /**
   * For `elara check`: throws with the fix when the backend cannot work as configured; may give a line of what it found.
   * `server`: the whole command and the configured part of the environment of servers here, for a backend that can try
   * them. One that takes longer than three minutes is told as one that hangs.
   */
  check?(
    server: Pick<SpawnRequest, "argv" | "env">,
    call: { readonly signal: AbortSignal },
  ): Promise<string | undefined> | Promise<void>;
  /**
   * Forgets what is kept for a server that has ended: folder, record, output. Idempotent; called again when it throws.
   * Without a handle, a start had begun and none was ever stored: what it left, if anything, is found by tag and user,
   * and what is there but never ran goes too. Never ends a server that runs.
   */
  cleanup?(
    server: ServerKey & Partial<StoredServer<Handle>>,
    call: { readonly signal: AbortSignal },
  ): Promise<void>;
}

export interface SpawnerPlugin<O extends TObject = TObject, H extends TObject = TObject> {
  readonly kind: "spawner";
  /** Short name, `local`. Error codes begin with it in capitals. */
  readonly name: string;
  /** Name of the plugin under it, where it wraps one (`wrapSpawner`): the hub's rules for that one hold for it too. */
  readonly wraps?: string;
  /**
   * Configuration and, where marked `userChoice: true` in the schema, the fields of the spawn form; with
   * `userChoice: "named"` (limits that cost something) only in profiles that name the field. `perStart: true`: no choice
   * of users, but `start` reads it from the request too, so a profile may set it; others are for `setup` and stay as configured.
   */
  readonly options: O;
  /** Schema of the handle: versioned plain JSON that the hub stores and hands back to a process that never saw `start`. */
  readonly handle: H;
  readonly errors: PluginErrors;
  /** How often to observe while something moves and at rest; default 2,000 and 15,000. */
  readonly observeMs?: { readonly moving: number; readonly resting: number };
  /**
   * Default clocks of this backend, in seconds, where those of the section `spawn` do not fit it: how long it may take to
   * accept a start, until process and address are seen, until the address answers, and to stop. An entry's `clocks` win,
   * and so does what the section sets otherwise than by default.
   */
  readonly clocks?: Readonly<
    Partial<Record<"submitSeconds" | "bootSeconds" | "httpSeconds" | "stopSeconds" | "graceSeconds", number>>
  >;
  setup(
    options: Static<O>,
    host: SpawnerHost,
  ): Spawner<Static<O>, Static<H>> | Promise<Spawner<Static<O>, Static<H>>>;
}

/** Declares a spawner plugin; options and handle are typed from their schemas. */
export const spawnerPlugin = <O extends TObject, H extends TObject>(
  plugin: Omit<SpawnerPlugin<O, H>, "kind">,
): SpawnerPlugin<O, H> => ({ kind: "spawner", ...plugin });
