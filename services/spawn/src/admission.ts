import { HubError, type Server } from "@elara/contracts";
import { userById } from "@elara/runtime/store/read/users";
import type { Store } from "@elara/runtime/store/store";
import type { SpawnConfig } from "./config.ts";
import type { Ledger } from "./ledger.ts";

/** Whether a start that already stands in the ledger may go on. */
export interface Admission {
  /**
   * Reads the user and counts, both after the ledger write, so that a user being deleted or two starts at the limit
   * cannot slip through between. Undefined: go on. Throws STORE_AWAY.
   */
  refusal(doc: Server): Promise<HubError | undefined>;
}

interface AdmissionOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly config: SpawnConfig;
}

/** Opens the gate. */
export function openAdmission({ store, ledger, config }: AdmissionOptions): Admission {
  const over = async (limit: number, phases: readonly string[]) =>
    limit > 0 && (await ledger.count({ phase: { in: phases } })) > limit;
  return {
    async refusal(doc) {
      const user = await userById(store, doc.userId);
      if (!user) return new HubError("USER_NOT_FOUND");
      if (user.deletingAt !== "") return new HubError("USER_DELETING");
      if (await over(config.concurrentLimit, ["requested", "starting"]))
        // A spread, so that those refused do not come back together.
        return new HubError("SPAWN_TOO_MANY", { retryAfterSeconds: 30 + Math.floor(Math.random() * 31) });
      const active = ["requested", "queued", "starting", "ready", "stopping", "unknown"];
      if (await over(config.activeLimit, active)) return new HubError("SPAWN_ACTIVE_LIMIT");
      if (doc.name !== "" && config.namedServerLimit > 0) {
        const named = await ledger.count({ userId: doc.userId, name: { ne: "" }, deletedAt: "" });
        if (named > config.namedServerLimit) return new HubError("SERVER_NAMED_LIMIT");
      }
      return undefined;
    },
  };
}
