import type { LastTimes } from "@elara/contracts";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import { apiTime } from "../models/api-time.ts";
import { serverLastActivity } from "../models/server-model.ts";
import { isReachable, serverState } from "../models/server-state.ts";
import { type ServerUrls, serverUrls } from "./server-urls.ts";

/** A server as the pages show it. */
export interface ServerCard {
  readonly name: string;
  readonly displayName: string;
  readonly path: string;
  readonly status: { readonly word: string; readonly kind: string };
  readonly mayOpen: boolean;
  readonly mayStart: boolean;
  readonly mayStop: boolean;
  readonly isStarting: boolean;
  readonly started: string;
  readonly lastActivity: string;
  readonly failure: { readonly message: string; readonly code: string } | undefined;
  readonly urls: ServerUrls;
}

/** Status, times and buttons of a server. */
export function serverCard(
  server: PublishedServer,
  { baseUrl, times, next }: { baseUrl: string; times: LastTimes | undefined; next?: string },
): ServerCard {
  const { pending, active } = serverState(server);
  const isFailed = server.phase === "failed";
  return {
    name: server.name,
    displayName: server.displayName || server.name,
    path: server.path,
    status: statusOf(server),
    mayOpen: isReachable(server),
    mayStart: !active,
    mayStop: active && pending !== "stop",
    isStarting: pending === "spawn",
    started: active ? (apiTime(server.requestedAt) ?? "") : "",
    lastActivity: apiTime(serverLastActivity(server, times)) ?? "",
    failure: isFailed ? { message: server.cause.message, code: server.cause.code } : undefined,
    urls: serverUrls(baseUrl, server.userName, server.name, next),
  };
}

function statusOf(server: PublishedServer): ServerCard["status"] {
  const { pending, ready } = serverState(server);
  if (ready) return { word: "Running", kind: "ready" };
  if (pending === "stop") return { word: "Stopping", kind: "pending" };
  if (server.phase === "unknown") return { word: "Not answering", kind: "unknown" };
  if (server.phase === "queued") return { word: "Waiting in the queue", kind: "pending" };
  if (pending === "spawn") return { word: "Starting", kind: "pending" };
  return server.phase === "failed"
    ? { word: "Did not start", kind: "failed" }
    : { word: "Stopped", kind: "stopped" };
}
