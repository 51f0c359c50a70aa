import type { ErrorEntry } from "./entry.ts";

/** Log-in, users, tokens, OAuth. */
export const peopleErrors = {
  LOGIN_FAILED: {
    status: 403,
    user: "Invalid username or password",
    operator: "Wrong name or password. The log line names the authenticator and its reason.",
  },
  LOGIN_NOT_ALLOWED: {
    status: 403,
    user: "Your account is not allowed to use this hub.",
    operator:
      "The account is known to the authenticator, but no rule lets it in: `allowAll`, `allowedUsers` or `adminUsers` of the authenticator's entry, else those of `auth`, or a rule of the authenticator's own options.",
  },
  LOGIN_THROTTLED: {
    status: 429,
    user: "Too many failed attempts. Wait a moment and try again.",
    operator:
      "More log-ins than `auth.throttle` allows in its window: of this name (`failuresPerName`), of this name from this address (`failuresPerAddress`), or back from a provider at this address (`callbacksPerAddress`).",
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
  LOGIN_ANSWER_INVALID: {
    status: 502,
    user: "This login brought something that the hub cannot take, so you were not logged in. Tell the administrators.",
    operator:
      "The authenticator's answer for this person is none that the hub takes; the log line names the authenticator and the field (`issuer`, `subject`, `name`, `admin`, `allowed`, `authState`). Mend the authenticator, or what its provider says of the person.",
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
    user: "This name belongs to another account here. If that is yours too, log in the way you did the first time.",
    operator:
      "Another (issuer, subject) already owns the name. Identities are never merged by name; the log line has the issuer. Give one of the two another name, or delete the user that owns it.",
  },
  AUTH_STATE_UNREADABLE: {
    status: 500,
    user: "What the hub kept of your login cannot be read. Log out and in again.",
    operator:
      "What an authenticator kept of a login cannot be decrypted. Was `secrets.cryptKey` (JUPYTERHUB_CRYPT_KEY, `crypt_key`) replaced? Put the older key behind the new one, after a `;`.",
  },
  AUTH_STATE_KEPT: {
    status: 500,
    user: "You are logged out here, but not everything could be given back to your provider.",
    operator:
      "The authenticator could not give back what its provider gave for a session that is over (tokens); after a day they are dropped and end when the provider lets them. The log line names user and authenticator: revoke them at the provider.",
  },
  AUTH_PRE_SPAWN_FAILED: {
    status: 502,
    user: "Your server could not be given what your login brings along. Log out and in again, then start it.",
    operator:
      "The authenticator's `preSpawn` failed, took longer than 20 s or gave no object of strings; the log of auth has the cause.",
  },
  AUTH_PRE_SPAWN_REFUSED: {
    status: 500,
    user: "Your server runs without something that your login wanted to bring along.",
    operator:
      "Only logged: an authenticator's `preSpawn` set a variable that belongs to the hub (JUPYTERHUB_*, JPY_*, ELARA_*, JUPYTER_CONFIG_*, JUPYTER_PATH, PATH, HOME, USER, LOGNAME, SHELL), makes programs load other code (LD_*, PYTHONPATH, NODE_OPTIONS, BASH_ENV and their like), is no name of a variable, no string, or longer than 128 KiB; it was left out. Change the plugin.",
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
} as const satisfies Record<string, ErrorEntry>;
