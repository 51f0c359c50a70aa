import { noCause, ServerRequested } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Decision, ServerDoc } from "./decision.ts";
import { eventData } from "./event-data.ts";
import { driverOf, type SpawnParts } from "./parts.ts";
import { enter } from "./phases.ts";
import { serverPath } from "./server-path.ts";
import { tagOf } from "./tag.ts";

/** Fields of a new generation: desired, number and tag are in the ledger before anything is submitted. */
export function nextGeneration(parts: SpawnParts, doc: Omit<ServerDoc, "rev">) {
  const now = parts.clock.now();
  const generation = doc.generation + 1;
  const named = parts.profiles.get(doc.profile)?.backend ?? doc.backend;
  const backend = parts.backends.get(named) ?? parts.backends.first;
  return {
    desired: "running" as const,
    ...enter("requested", backend.clocks, now),
    phaseBefore: "",
    // A record from before its user was renamed follows the name.
    path: serverPath(parts.hub.baseUrl, doc.userName, doc.name),
    backend: backend.name,
    inMotion: true,
    generation,
    tag: tagOf(parts.tagKey, {
      hubId: parts.hub.hubId,
      userId: doc.userId,
      serverId: doc._id,
      generation,
    }),
    handle: {},
    handleAt: "",
    submitUntil: "",
    url: "",
    routed: false,
    apiUrl: "",
    driver: driverOf(parts),
    requestedAt: timestamp(now),
    admittedAt: "",
    startedAt: "",
    readyAt: "",
    stoppedAt: "",
    endsAt: "",
    cause: noCause,
  };
}

/** The step that begins a new generation of a server at rest. */
export function begin(
  parts: SpawnParts,
  doc: ServerDoc,
  actor: string,
  more: Decision["set"] = {},
): Decision {
  const set = { ...more, ...nextGeneration(parts, { ...doc, ...more }) };
  const next = { ...doc, ...set };
  const data = { ...eventData(next), backend: next.backend, profile: next.profile };
  return { set, events: [parts.ledger.event(ServerRequested, next, data, actor)] };
}
