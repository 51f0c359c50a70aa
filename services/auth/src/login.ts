import { setTimeout as sleep } from "node:timers/promises";
import { HubError, type Session, type User } from "@elara/contracts";
import { isValidName, normalName } from "@elara/runtime/user-name";
import type { AuthenticatedUser } from "@elara/sdk";
import type { Ground } from "./ground.ts";
import { asker } from "./login/ask.ts";
import type { Door } from "./login/authenticators.ts";
import { throttle } from "./login/throttle.ts";
import type { AllowRules } from "./people/allow-rules.ts";
import { claimUser } from "./people/claim-user.ts";
import type { OpenedSession, SessionBook } from "./people/session-book.ts";
import type { UserBook } from "./people/user-book.ts";

/** What somebody brings to a log-in. */
export interface LoginAttempt {
  readonly door: Door;
  readonly input: Readonly<Record<string, string>>;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly callbackUrl: string;
  /** Address of the client, for the throttle. */
  readonly address: string;
}

export interface Login {
  /**
   * Who it is, as a user of this hub: throttle, authenticator, name, allow rules, identity. Throws LOGIN_FAILED for wrong name
   * or password, and the other LOGIN_ codes.
   */
  identify(attempt: LoginAttempt): Promise<User>;
  /** The same, and opens a session. `previous` is the browser's present one, which ends. */
  open(attempt: LoginAttempt, previous?: Session): Promise<OpenedSession & { user: User }>;
}

export interface LoginParts {
  readonly ground: Ground;
  readonly users: UserBook;
  readonly sessions: SessionBook;
  readonly rules: AllowRules;
}

export function login({ ground, users, sessions, rules }: LoginParts): Login {
  const { config, clock, log } = ground;
  const attempts = throttle(ground);
  const ask = asker({ concurrent: config.concurrentLogins, seconds: config.loginSeconds });

  async function vouchedFor(attempt: LoginAttempt): Promise<AuthenticatedUser> {
    const { door, input, state = {}, callbackUrl, address } = attempt;
    const began = clock.monotonic();
    // Logins by redirect have no name yet, and nothing to guess.
    const typed = input.username;
    const counted =
      typed === undefined ? undefined : await attempts.enter(normalName(typed.slice(0, 256)), address);
    let who: AuthenticatedUser | undefined;
    try {
      who = await ask(door, { input, state, callbackUrl });
    } catch (error) {
      await counted?.notMade();
      throw error;
    }
    if (who) {
      await counted?.succeeded();
      return who;
    }
    log.info({ authenticator: door.name, address, name: typed?.slice(0, 64) }, "login refused");
    await sleep(Math.max(0, config.refusalMs - (clock.monotonic() - began)));
    throw new HubError("LOGIN_FAILED");
  }

  async function identify(attempt: LoginAttempt): Promise<User> {
    const who = await vouchedFor(attempt);
    const name = normalName(who.name);
    const facts = { authenticator: attempt.door.name, address: attempt.address, name: name.slice(0, 64) };
    if (!isValidName(name)) {
      log.info(facts, "login with a name that cannot be a user's");
      throw new HubError("USER_NAME_INVALID", { status: 403, detail: facts });
    }
    if (!rules.isAllowed(name)) {
      log.info(facts, "login not allowed");
      throw new HubError("LOGIN_NOT_ALLOWED", { detail: facts });
    }
    const user = await claimUser(ground, users, who, name);
    // An identity keeps its user through a rename, so the rules hold for the user's name too.
    if (user.name !== name && !rules.isAllowed(user.name))
      throw new HubError("LOGIN_NOT_ALLOWED", { detail: facts });
    const admin = rules.isAdmin(user.name) || rules.isAdmin(name) || who.admin;
    if (admin === undefined || admin === user.admin) return user;
    return (await users.setAdmin(user._id, admin, "system:auth")) ?? user;
  }

  return {
    identify,
    async open(attempt, previous) {
      const user = await identify(attempt);
      const opened = await sessions.open(user._id, attempt.door.name, previous);
      // Marked for deletion meanwhile? Then its sessions were revoked before this one was opened.
      const now = await users.loggedIn(user._id, attempt.door.name);
      if (now?.deletingAt !== "") {
        await sessions.endAll(user._id);
        throw new HubError("USER_DELETING");
      }
      log.info({ authenticator: attempt.door.name, userId: user._id, name: user.name }, "logged in");
      return { ...opened, user };
    },
  };
}
