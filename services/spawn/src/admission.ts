import { HubError, type Server } from "@elara/contracts";
import { userById } from "@elara/runtime/store/read/users";
import type { Store } from "@elara/runtime/store/store";
import type { SpawnConfig } from "./config.ts";
import type { Ledger } from "./ledger.ts";

/**
 * Whether what already stands in the ledger may stay there. Reads the user and counts, both after the ledger write, so
 * that a user being deleted or renamed, or two orders at a limit, cannot slip through between. Undefined: go on. Throws
 * STORE_AWAY.
 */
export interface Admission {
  /** The record: its user is there under this name, and the number of named servers. */
  mayHave(doc: Server): Promise<HubError | undefined>;
  /** The start: the record, and the limits of starts and running servers. */
  mayStart(doc: Server): Promise<HubError | undefined>;
}

interface AdmissionOptions {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly config: SpawnConfig;
}

const PENDING = ["requested", "starting"];
const ACTIVE = ["requested", "queued", "starting", "ready", "stopping", "unknown"];

/** A start that stands in the ledger and whose limits nobody has counted yet. */
export const isUnjudged = (doc: Pick<Server, "phase" | "admittedAt">): boolean =>
  doc.phase === "requested" && doc.admittedAt === "";

/** Opens the gate. */
export function openAdmission({ store, ledger, config }: AdmissionOptions): Admission {
  const over = async (limit: number, phases: readonly string[]) =>
    limit > 0 && (await ledger.count({ phase: { in: phases } })) > limit;

  const mayHave: Admission["mayHave"] = async (doc) => {
    const user = await userById(store, doc.userId);
    // The name stands in the path: one that changed meanwhile must not be taken along.
    if (user?.name !== doc.userName) return new HubError("USER_NOT_FOUND");
    if (user.deletingAt !== "") return new HubError("USER_DELETING");
    if (doc.name === "" || config.namedServerLimit === 0) return undefined;
    const named = await ledger.count({ userId: doc.userId, name: { ne: "" }, deletedAt: "" });
    if (named <= config.namedServerLimit) return undefined;
    const most = `${config.namedServerLimit} named ${config.namedServerLimit === 1 ? "server" : "servers"}`;
    return new HubError("SERVER_NAMED_LIMIT", {
      message: `You have the maximum of ${most} already. Remove one first.`,
    });
  };

  return {
    mayHave,
    async mayStart(doc) {
      const refusal = await mayHave(doc);
      if (refusal) return refusal;
      if (await over(config.concurrentLimit, PENDING))
        // A spread, so that those refused do not come back together.
        return new HubError("SPAWN_TOO_MANY", { retryAfterSeconds: 30 + Math.floor(Math.random() * 31) });
      return (await over(config.activeLimit, ACTIVE)) ? new HubError("SPAWN_ACTIVE_LIMIT") : undefined;
    },
  };
}
