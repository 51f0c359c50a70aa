import { eventfulStart, HubError, noCause } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { newId } from "@elara/runtime/id";
import type { ServerDoc } from "../decision.ts";
import { noDriver } from "../ledger.ts";
import type { SpawnParts } from "../parts.ts";
import type { Choice } from "../profiles/choice.ts";
import { isServerName, serverPath } from "../server-path.ts";

interface RecordOf {
  readonly userId: string;
  readonly userName: string;
  readonly serverName: string;
  readonly displayName?: string | undefined;
  /** What it is to be started with. */
  readonly choice: Choice;
}

/** Refuses names that no server may have, and named servers where there are none. */
export function checkName(parts: SpawnParts, name: string): void {
  if (!isServerName(name)) throw new HubError("SERVER_NAME_INVALID");
  if (name !== "" && !parts.hub.namedServers) throw new HubError("SERVER_NAMED_OFF");
}

/** A new record, at rest, not yet in the ledger. */
export function newRecord(parts: SpawnParts, of: RecordOf): Omit<ServerDoc, "rev"> {
  const now = timestamp(parts.clock.now());
  return {
    _id: newId(),
    v: 1,
    ...eventfulStart,
    userId: of.userId,
    userName: of.userName,
    name: of.serverName,
    displayName: of.displayName ?? "",
    path: serverPath(parts.hub.baseUrl, of.userName, of.serverName),
    desired: "stopped",
    phase: "stopped",
    phaseBefore: "",
    inMotion: false,
    generation: 0,
    tag: "",
    backend: of.choice.backend,
    handle: {},
    handleAt: "",
    profile: of.choice.profile,
    profileAsked: of.choice.profileAsked,
    options: of.choice.options,
    url: "",
    routed: false,
    apiUrl: "",
    driver: noDriver,
    phaseAt: now,
    deadlineAt: "",
    clockLeftMs: 0,
    submitUntil: "",
    createdAt: now,
    requestedAt: "",
    admittedAt: "",
    startedAt: "",
    readyAt: "",
    stoppedAt: "",
    endsAt: "",
    cause: noCause,
    removeWhenStopped: false,
    changedAt: now,
    orders: [],
  };
}
