import { codeOf, HubError, type KeptAuthState } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Ground } from "../ground.ts";
import type { Doors } from "../login/authenticators.ts";
import type { SessionBook } from "../people/session-book.ts";
import { untilAborted } from "../until-aborted.ts";
import { CLAIM_MS, type KeptLogins } from "./kept-logins.ts";

/** How long a provider may take. */
const CALL_MS = 12_000;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 3 * 3_600_000;
/** About a day. */
const TRIES = 16;
const AT_ONCE = 8;

/**
 * One look at what is due: sessions that are over give back what their provider gave. Claimed by compare and swap before
 * the provider is asked, so that two replicas never do at once; who dies after the claim is followed by another. What no
 * try gives back is dropped after a day, with an error.
 */
export async function giveBack(
  ground: Pick<Ground, "records" | "clock" | "log">,
  { kept, doors, undo, end }: { kept: KeptLogins; doors: Doors; undo: SessionBook["undo"]; end: AbortSignal },
): Promise<void> {
  const { authStates, sessions } = ground.records;
  const { clock, log } = ground;
  const at = (ms: number) => timestamp(clock.now() + ms);

  for (;;) {
    const { items } = await authStates.find({
      where: { dueAt: { lte: at(0) } },
      sort: { by: ["dueAt"] },
      limit: AT_ONCE,
    });
    if (items.length === 0 || end.aborted) return;
    await Promise.all(items.map(settle));
  }

  async function settle(due: KeptAuthState): Promise<void> {
    if (due.endedAt === "") {
      // Its session decides: one that was never opened, has expired or is gone is over.
      const session = await sessions.get(due._id);
      // Open, and yet due: its log-in failed or died before anybody had it.
      if (session?.revokedAt === "" && session.expiresAt > at(0)) return undo(due._id);
    }
    const claimed = await authStates.patch(due._id, due.rev, {
      set: { endedAt: due.endedAt || at(0), tries: due.tries + 1, dueAt: at(CLAIM_MS) },
    });
    if (!claimed) return;
    try {
      await logout(claimed);
      await authStates.delete(claimed._id, claimed.rev);
    } catch (error) {
      await failed(claimed, error);
    }
  }

  async function logout(claimed: KeptAuthState): Promise<void> {
    const door = doors.find(claimed.authenticator);
    if (!door)
      throw new HubError("AUTH_STATE_KEPT", {
        operator: `The authenticator "${claimed.authenticator}" is not configured any more.`,
      });
    const { authenticator } = door;
    if (!authenticator.logout) return;
    const login = { authState: kept.open(claimed), userName: claimed.userName };
    const signal = AbortSignal.any([end, AbortSignal.timeout(CALL_MS)]);
    await untilAborted(signal, () => authenticator.logout?.({ ...login, signal }));
  }

  async function failed(claimed: KeptAuthState, error: unknown): Promise<void> {
    const { _id, rev, tries, userId, userName, authenticator } = claimed;
    const facts = { userId, name: userName, authenticator, tries, code: codeOf(error), err: error };
    if (tries >= TRIES) {
      const { operator } = new HubError("AUTH_STATE_KEPT");
      log.error({ ...facts, code: "AUTH_STATE_KEPT", operator }, "tokens not given back, tried for a day");
      await authStates.delete(_id, rev);
      return;
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
    log.warn({ ...facts, againSeconds: pauseMs / 1000 }, "tokens not given back yet");
    await authStates.patch(_id, rev, { set: { dueAt: at(pauseMs) } });
  }
}
