import type { LastTimes } from "@elara/contracts";
import type { PublishedProfile } from "@elara/runtime/store/read/profiles";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import { apiTime } from "../models/api-time.ts";
import { faultOf } from "../models/failure.ts";
import { serverLastActivity } from "../models/server-model.ts";
import { isReachable, serverState } from "../models/server-state.ts";
import { ownReason, type SentencePart, startState, withTimes } from "../models/start-state.ts";
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
  /** Queued, or nobody answers for it: what that means, and what queue or backend gave as its reason. */
  readonly state: { readonly words: string; readonly reason: readonly SentencePart[] } | undefined;
  /** Title of its profile, "" when that says no more than the place does. */
  readonly profile: string;
  /** Name of the place where it runs; "" while it does not. */
  readonly backend: string;
  /** End of its allocation; "" when none is known. */
  readonly endsAt: string;
  readonly started: string;
  readonly lastActivity: string;
  /** Why it did not start, or ended by itself. */
  readonly failure: { readonly message: string; readonly code: string } | undefined;
  readonly urls: ServerUrls;
}

/** Status, times and buttons of a server. */
export function serverCard(
  server: PublishedServer,
  {
    baseUrl,
    times,
    next,
    profiles = [],
  }: {
    baseUrl: string;
    times: LastTimes | undefined;
    next?: string;
    profiles?: readonly PublishedProfile[];
  },
): ServerCard {
  const { pending, active } = serverState(server);
  const profile = profiles.find(({ _id }) => _id === server.profile)?.title ?? server.profile;
  return {
    name: server.name,
    displayName: server.displayName || server.name,
    path: server.path,
    status: statusOf(server),
    mayOpen: isReachable(server),
    mayStart: !active,
    mayStop: active && pending !== "stop",
    isStarting: pending === "spawn",
    state: stateOf(server),
    profile: profile === server.backend ? "" : profile,
    backend: active ? server.backend : "",
    endsAt: active ? (apiTime(server.endsAt) ?? "") : "",
    started: active ? (apiTime(server.requestedAt) ?? "") : "",
    lastActivity: apiTime(serverLastActivity(server, times)) ?? "",
    failure: faultOf(server),
    urls: serverUrls(baseUrl, server.userName, server.name, next),
  };
}

function stateOf(server: PublishedServer): ServerCard["state"] {
  const { phase } = server;
  const reason = withTimes(ownReason(server.reason));
  if (phase === "queued") return { words: startState(server).words, reason };
  if (phase !== "unknown") return undefined;
  return {
    words: isReachable(server)
      ? "The place where your server runs does not answer the hub at the moment. Nothing is lost: your server is kept, and the hub keeps asking."
      : startState(server).words,
    reason,
  };
}

function statusOf(server: PublishedServer): ServerCard["status"] {
  const { pending, ready } = serverState(server);
  if (ready) return { word: "Running", kind: "ready" };
  if (pending === "stop") return { word: "Stopping", kind: "pending" };
  if (server.phase === "unknown") return { word: "Not answering", kind: "unknown" };
  if (server.phase === "queued") return { word: "Waiting in the queue", kind: "pending" };
  if (pending === "spawn") return { word: "Starting", kind: "pending" };
  if (server.phase === "failed") return { word: "Did not start", kind: "failed" };
  return faultOf(server) ? { word: "Ended by itself", kind: "failed" } : { word: "Stopped", kind: "stopped" };
}
