import { type Static, Type } from "typebox";

const names = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { default: [], description });

const ThrottleConfig = Type.Object(
  {
    failuresPerAddress: Type.Integer({
      default: 10,
      minimum: 1,
      description:
        "Failed log-ins of one name from one address within the window; then this pair has to wait.",
    }),
    failuresPerName: Type.Integer({
      default: 50,
      minimum: 1,
      description: "Failed log-ins of one name from anywhere within the window; then the name has to wait.",
    }),
    callbacksPerAddress: Type.Integer({
      default: 50,
      minimum: 1,
      description:
        "Log-ins by redirect that come back from a provider to one address within the window and fail, or are being checked; then the address has to wait. One address may be a whole school.",
    }),
    windowSeconds: Type.Integer({
      default: 60,
      minimum: 1,
      description: "How long failures count together.",
    }),
    blockSeconds: Type.Integer({ default: 60, minimum: 1, description: "How long to wait." }),
  },
  {
    default: {},
    additionalProperties: false,
    description: "Slows down guessing of passwords, and floods of log-ins.",
  },
);
export type ThrottleConfig = Static<typeof ThrottleConfig>;

const ServiceEntry = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z][a-z0-9_-]{0,62}$",
      description: "Name of the service, as in `service:{name}` and `!service={name}`.",
    }),
    token: Type.String({
      minLength: 1,
      secret: true,
      description: "Its API token, at least 16 characters: `openssl rand -hex 16`.",
    }),
    scopes: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: "All that it may do, e.g. `read:events:servers`, `list:users`, `read:events!user=ada`.",
    }),
  },
  { additionalProperties: false },
);
export type ServiceEntry = Static<typeof ServiceEntry>;

/** Auth's section of the configuration. */
export const AuthConfig = Type.Object(
  {
    allowAll: Type.Boolean({
      default: false,
      description:
        "Let in everybody whom an authenticator knows. With neither this nor a name below, nobody gets in but whom an entry of `authenticators` or a rule of its own options lets in.",
    }),
    allowedUsers: names(
      "Names that may log in, by whichever authenticator. Several of them: write names into the entry of the one they are meant for.",
    ),
    adminUsers: names(
      "Names that may log in and administer the hub. Taking a name out does not take the right away.",
    ),
    blockedUsers: names(
      "Names that may not log in, whatever else is said. Their sessions and tokens are revoked at start.",
    ),
    contact: Type.String({
      default: "",
      maxLength: 500,
      description:
        "Whom people may ask who are not let in or whose server cannot start: a mail address or the address of a page, shown as a link, or a few words.",
    }),
    sessionDays: Type.Number({
      default: 14,
      exclusiveMinimum: 0,
      description: "How long a browser stays logged in.",
    }),
    oauthTokenDays: Type.Number({
      default: 14,
      exclusiveMinimum: 0,
      description: "How long a token lives that servers and services get for a logged-in user.",
    }),
    tokenMaxDays: Type.Number({
      default: 0,
      minimum: 0,
      description: "Longest life of API tokens, also the default then; 0: they may live for ever.",
    }),
    requirePkce: Type.Boolean({
      default: false,
      description: "Refuse OAuth clients that come without a PKCE challenge.",
    }),
    concurrentLogins: Type.Integer({
      default: 64,
      minimum: 1,
      description: "Log-ins being checked at a time, per process; more are asked to come again.",
    }),
    loginSeconds: Type.Number({
      default: 30,
      exclusiveMinimum: 0,
      description: "When a log-in gives up waiting for its authenticator.",
    }),
    refusalMs: Type.Integer({
      default: 400,
      minimum: 0,
      description:
        "A refusal takes at least this long, so that its time does not tell whether the name exists.",
    }),
    throttle: ThrottleConfig,
    services: Type.Array(ServiceEntry, {
      default: [],
      description:
        "Programs that ask the hub with a token of their own. Taken out of the list, a token is revoked at the next start.",
    }),
  },
  { additionalProperties: false, description: "Who may log in, and for how long." },
);
export type AuthConfig = Static<typeof AuthConfig>;
