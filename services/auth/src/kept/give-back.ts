import { codeOf, HubError, type KeptAuthState } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Ground } from "../ground.ts";
import type { LoginWays } from "../login/ways.ts";
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
const PAGE = 200;
/** An authenticator that failed so often in a row is left alone with its others for a while. */
const FAILURES = 3;

/**
 * One look at what is due: sessions that are over give back what their provider gave. Claimed by compare and swap before
 * the provider is asked, so that two replicas never do at once; who dies after the claim is followed by another. What no
 * try gives back is dropped after a day, with an error.
 */
export async function giveBack(
  ground: Pick<Ground, "records" | "clock" | "log">,
  {
    kept,
    ways,
    undo,
    end,
  }: { kept: KeptLogins; ways: LoginWays; undo: SessionBook["undo"]; end: AbortSignal },
): Promise<void> {
  const { authStates, sessions } = ground.records;
  const { clock, log } = ground;
  const at = (ms: number) => timestamp(clock.now() + ms);

  /** Calls that failed one after another, by authenticator. */
  const failures = new Map<string, number>();

  for (;;) {
    const { items } = await authStates.find({
      where: { dueAt: { lte: at(0) } },
      sort: { by: ["dueAt"] },
      limit: PAGE,
    });
    if (items.length === 0 || end.aborted) return;
    const queue = items.values();
    const work = async () => {
      for (const due of queue) {
        if (end.aborted) return;
        await settle(due);
      }
    };
    const fault = (await Promise.allSettled(Array.from({ length: AT_ONCE }, work))).find(
      (result) => result.status === "rejected",
    );
    if (fault) throw fault.reason;
  }

  async function settle(due: KeptAuthState): Promise<void> {
    if ((failures.get(due.authenticator) ?? 0) >= FAILURES) {
      const dueAt = at(FIRST_PAUSE_MS * (1 + Math.random()));
      await authStates.patch(due._id, due.rev, { set: { dueAt } });
      return;
    }
    const claimed = await authStates.patch(due._id, due.rev, {
      set: { endedAt: due.endedAt || at(0), tries: due.tries + 1, dueAt: at(CLAIM_MS) },
    });
    if (!claimed) return;
    try {
      // Due, and yet open: its log-in failed or died before anybody had it.
      const session = await sessions.get(claimed._id);
      if (session?.revokedAt === "" && session.expiresAt > at(0)) await undo(claimed._id);
      await logout(claimed);
      await authStates.delete(claimed._id, claimed.rev);
    } catch (error) {
      await failed(claimed, error);
    }
  }

  async function logout(claimed: KeptAuthState): Promise<void> {
    const { authenticator: name, userName } = claimed;
    const way = ways.find(name);
    if (!way)
      throw new HubError("AUTH_STATE_KEPT", {
        operator: `The authenticator "${name}" is not configured any more.`,
      });
    const { authenticator } = way;
    if (!authenticator.logout) return;
    const authState = kept.open(claimed);
    const signal = AbortSignal.any([end, AbortSignal.timeout(CALL_MS)]);
    try {
      await untilAborted(signal, () => authenticator.logout?.({ authState, userName, signal }));
      failures.delete(name);
    } catch (error) {
      failures.set(name, (failures.get(name) ?? 0) + 1);
      throw error;
    }
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
