import { setTimeout as sleep } from "node:timers/promises";
import { codeOf, HubError, type Session, type User } from "@elara/contracts";
import { newLoginSecret } from "@elara/runtime/http/cookies";
import { digest } from "@elara/runtime/id";
import { isValidName, normalName } from "@elara/runtime/user-name";
import { type AuthenticatedUser, type AuthState, PluginError } from "@elara/sdk";
import type { Ground } from "./ground.ts";
import type { KeptLogins, ToKeep } from "./kept/kept-logins.ts";
import { asker } from "./login/ask.ts";
import { LoginRefused } from "./login/refusal.ts";
import { throttle } from "./login/throttle.ts";
import type { LoginWay } from "./login/ways.ts";
import { claimUser, userBehind } from "./people/claim-user.ts";
import type { OpenedSession, SessionBook } from "./people/session-book.ts";
import type { UserBook } from "./people/user-book.ts";

/** What somebody brings to a log-in. */
export interface LoginAttempt {
  readonly way: LoginWay;
  readonly input: Readonly<Record<string, string>>;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly callbackUrl: string;
  /** Address of the client, for the throttle. */
  readonly address: string;
}

export interface Login {
  /**
   * Who it is, as a user of this hub: throttle, authenticator (which refuses whom its restrictions keep out), identity,
   * name, blocked names, rules, administrator. Throws LOGIN_FAILED for wrong name or password, LoginRefused for somebody who is
   * known and not let in, and the other LOGIN_ codes.
   */
  identify(attempt: LoginAttempt): Promise<User>;
  /** The same, and opens a session. `previous` is the browser's present one, which ends. */
  open(attempt: LoginAttempt, previous?: Session): Promise<OpenedSession & { user: User }>;
}

export interface LoginParts {
  readonly ground: Ground;
  readonly users: UserBook;
  readonly sessions: SessionBook;
  readonly kept: KeptLogins;
}

/** What is told on a page of its own: these people logged in all right, where they come from. */
const REFUSALS: ReadonlySet<string> = new Set([
  "LOGIN_NOT_ALLOWED",
  "LOGIN_NAME_TAKEN",
  "LOGIN_NAME_RESERVED",
  "USER_NAME_INVALID",
  "USER_DELETING",
]);

export function login({ ground, users, sessions, kept }: LoginParts): Login {
  const { config, clock, log } = ground;
  const attempts = throttle(ground);
  /** Of somebody who is no user yet. */
  const toKeep = (way: LoginWay, authState: AuthState, name: string): ToKeep => ({
    way,
    authState,
    userId: "",
    userName: normalName(name).slice(0, 256),
  });
  const ask = asker({
    concurrent: config.concurrentLogins,
    seconds: config.loginSeconds,
    given: (way, id, authState, name) => void kept.abandon(id, toKeep(way, authState, name)),
  });

  /** What is written of the count decides no log-in. */
  const noted = (work: Promise<void>) =>
    work.catch((error: unknown) =>
      log.warn({ code: codeOf(error), err: error }, "log-in not taken off the count"),
    );

  const keep = async (id: string, wanted: ToKeep): Promise<void> => {
    try {
      await kept.keep(id, wanted);
    } catch (error) {
      await kept.abandon(id, wanted);
      throw error;
    }
  };

  /** Writes what the provider gives under this id before all else. */
  async function vouchedFor(attempt: LoginAttempt, id: string): Promise<AuthenticatedUser> {
    const { way, input, state = {}, callbackUrl, address } = attempt;
    const began = clock.monotonic();
    // Logins by redirect have no name yet, and nothing to guess: only their number is bounded.
    const typed = input.username;
    const counted = await (typed === undefined
      ? attempts.enterFrom(address)
      : attempts.enter(normalName(typed.slice(0, 256)), address));
    let held: AuthState | undefined;
    const hold = (authState: AuthState) => {
      held = authState;
      return kept.keep(id, toKeep(way, authState, ""), config.loginSeconds).catch((error: unknown) => {
        log.warn({ code: codeOf(error), err: error }, "what a log-in is given not written yet");
      });
    };
    let who: AuthenticatedUser | undefined;
    try {
      who = await ask(way, id, { input, state, callbackUrl, hold });
    } catch (error) {
      if (!(error instanceof HubError) || error.status >= 500 || typed !== undefined)
        await noted(counted.notMade());
      if (error instanceof PluginError && error.status === 403) throw new LoginRefused(error, error.who);
      throw error;
    }
    if (who) {
      // What was held is due soon, and would end the session, if it were not the session's.
      const { authState = held } = who;
      if (authState) await keep(id, toKeep(way, authState, who.name));
      await noted(counted.succeeded());
      return authState ? { ...who, authState } : who;
    }
    log.info({ authenticator: way.name, address, name: typed?.slice(0, 64) }, "login refused");
    await sleep(Math.max(0, config.refusalMs - (clock.monotonic() - began)));
    throw new HubError(
      "LOGIN_FAILED",
      typed === undefined ? { message: `${way.label} did not say who you are. Try again.` } : {},
    );
  }

  /** The user of somebody an authenticator vouches for. Throws what keeps them out. */
  async function admit({ way, address }: LoginAttempt, who: AuthenticatedUser): Promise<User> {
    const { rules } = way;
    const name = normalName(who.name);
    const facts = { authenticator: way.name, address, name: name.slice(0, 64), issuer: who.issuer };
    const refused = (code: string): HubError => {
      log.info({ ...facts, code }, "login not allowed");
      return new HubError(code, { status: 403, detail: facts });
    };
    const told = (error: unknown): never => {
      throw REFUSALS.has(codeOf(error)) ? refused(codeOf(error)) : error;
    };
    const isLetIn = (label: string): boolean =>
      !rules.isBlocked(label) && (who.allowed === true || rules.isAllowed(label));
    const known = await userBehind(ground, users, who).catch(told);
    // Who is known goes by the name they have here: a label makes the user and may keep out, no more.
    if (known ? rules.isBlocked(name) : !isValidName(name))
      throw refused(known ? "LOGIN_NOT_ALLOWED" : "USER_NAME_INVALID");
    if (!isLetIn(known?.name ?? name)) throw refused("LOGIN_NOT_ALLOWED");
    const user = known ?? (await claimUser(ground, users, who, name).catch(told));
    // Another tab was quicker, under another label.
    if (!known && user.name !== name && !isLetIn(user.name)) throw refused("LOGIN_NOT_ALLOWED");
    // The user's name alone: how somebody is called at a provider is theirs to change.
    const admin = rules.isAdmin(user.name) || who.admin;
    if (admin === undefined || admin === user.admin) return user;
    return (await users.setAdmin(user._id, admin, "system:auth")) ?? user;
  }

  /** Nobody will ever have this session. Where that cannot be written, what is kept of it comes due soon and ends it. */
  const undo = (credential: string) =>
    sessions.undo(credential).catch((error: unknown) => {
      log.warn({ code: codeOf(error), err: error }, "session of a failed log-in not ended yet");
    });

  const refusal = (error: unknown, who: AuthenticatedUser): unknown =>
    error instanceof HubError && REFUSALS.has(error.code) ? new LoginRefused(error, who.name) : error;

  return {
    async identify(attempt) {
      const id = digest(newLoginSecret());
      const who = await vouchedFor(attempt, id);
      try {
        return await admit(attempt, who);
      } catch (error) {
        throw refusal(error, who);
      } finally {
        // No session keeps it.
        if (who.authState) await undo(id);
      }
    },
    async open(attempt, previous) {
      const { way } = attempt;
      const secret = newLoginSecret();
      const id = digest(secret);
      const who = await vouchedFor(attempt, id);
      try {
        const user = await admit(attempt, who);
        const opened = await sessions.open(user._id, way.name, {
          secret,
          ...(previous ? { previous } : {}),
        });
        // Marked for deletion meanwhile? Then its sessions were revoked before this one was opened.
        const now = await users.loggedIn(user._id, way.name);
        if (now?.deletingAt !== "") throw new HubError("USER_DELETING");
        const { authState } = who;
        if (authState)
          await kept.opened(opened.session, { way, authState, userId: user._id, userName: user.name });
        log.info({ authenticator: way.name, userId: user._id, name: user.name }, "logged in");
        return { ...opened, user };
      } catch (error) {
        await undo(id);
        throw refusal(error, who);
      }
    },
  };
}
