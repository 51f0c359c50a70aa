import { ServerReady } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { observe } from "@elara/runtime/metrics/meter";
import { routesKnown } from "@elara/runtime/routes-known";
import { causeOf } from "../causes.ts";
import type { ServerDoc } from "../decision.ts";
import { secondsBetween } from "../durations.ts";
import { eventData } from "../event-data.ts";
import { causeTime, failStart } from "../fail.ts";
import { noDriver } from "../ledger.ts";
import { ACTOR } from "../parts.ts";
import { enter, leftMs } from "../phases.ts";
import { answers } from "../probe.ts";
import { stepSpan, tellSince } from "../tracing.ts";
import type { Drive, DriveStep } from "./drive.ts";

/** `starting`: waits for an address (the observer writes it), then until it answers. */
export const boot: DriveStep = async (drive, doc) => {
  const { parts, backend } = drive;
  const left = leftMs(doc, parts.clock.now());
  if (left !== undefined && left <= 0) {
    const code = doc.url === "" ? "SPAWN_BOOT_TIMEOUT" : "SPAWN_HTTP_TIMEOUT";
    await failStart(parts, backend, { doc, cause: causeOf(code, causeTime(parts)), isGone: false });
    return 0;
  }
  if (doc.url === "") return parts.pace.lookMs;
  return stepSpan("server.probe", doc, () => probe(drive, doc));
};

async function probe(drive: Drive, doc: ServerDoc): Promise<number> {
  const { parts, backend } = drive;
  await parts.steps.add(doc, "process_started");
  const { first, longest } = parts.pace.probeMs;
  const isUp = await drive.call(
    doc,
    (signal) => answers(doc.url, doc.path, { signal, first, longest }),
    (current) => current.phase === "starting" && current.desired === "running" && current.url === doc.url,
  );
  if (!isUp) return 0;
  await parts.steps.add(doc, "port_answers");
  const ready = await parts.ledger.change(doc._id, (current) => {
    if (!drive.isOwn(current) || current.phase !== "starting" || current.desired !== "running")
      return undefined;
    if (current.url !== doc.url) return undefined;
    const now = parts.clock.now();
    const startMs = Math.max(0, now - Date.parse(current.requestedAt));
    return {
      set: { ...enter("ready", backend.clocks, now), routed: true, readyAt: timestamp(now) },
      events: [
        parts.ledger.event(
          ServerReady,
          current,
          { ...eventData(current), path: current.path, startMs },
          ACTOR,
        ),
      ],
    };
  });
  if (!ready) return 0;
  parts.log.info({ serverId: doc._id, generation: doc.generation }, "server ready");
  tellSince("server.boot", doc, doc.startedAt);
  observe("server_spawn_duration_seconds", secondsBetween(ready.requestedAt, ready.readyAt), {
    status: "success",
    reason: "",
  });
  return 0;
}

/** `ready`, still in motion: the doors learn the route, the page is told, the driver lets go. */
export const announce: DriveStep = (drive, doc) =>
  stepSpan("server.ready", doc, async () => {
    const { parts } = drive;
    const began = performance.now();
    await routesKnown(parts.liveness, doc.changedAt, AbortSignal.timeout(parts.pace.routeMs));
    observe("proxy_add_duration_seconds", (performance.now() - began) / 1000, { status: "success" });
    await parts.steps.add(doc, "route_added");
    await parts.steps.add(doc, "ready");
    await parts.ledger.change(doc._id, (current) =>
      drive.isOwn(current) && current.phase === "ready" && current.desired === "running"
        ? { set: { inMotion: false, driver: noDriver, traceparent: "" } }
        : undefined,
    );
    return 0;
  });
