import { ActivitySeen, AuthGrantProbe, codeOf, SpawnCull, SpawnStop } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { digest, newId } from "@elara/runtime/id";
import type { PublishedServer } from "@elara/runtime/store/read/servers";
import { type Answer, askServer } from "./ask-server.ts";
import type { Decision } from "./policy.ts";
import type { SweepParts } from "./sweep-parts.ts";

type Ending = Exclude<Decision, { do: "keep" }>;

/** A server that the policy would not keep. */
export interface Doomed {
  readonly server: PublishedServer;
  /** Judges it anew, with what it told of itself. */
  readonly judge: (report?: string) => Decision;
  readonly isWarned: boolean;
}

/** Spawn knows better: the server is left alone. */
const SPARED = ["SERVER_ACTIVE", "SERVER_REPLACED"];

/**
 * Warns of a stop (`server.culling`), or orders it. An idle server is asked first whether a kernel computes. "kept": the
 * warning is off. "pending": the warning stands. Never throws: what cannot be done now is tried in the next round.
 */
export async function endServer(
  parts: SweepParts,
  { server, judge, isWarned }: Doomed,
  signal: AbortSignal,
): Promise<"kept" | "pending"> {
  const { bus, log } = parts;
  const ids = { userId: server.userId, serverId: server._id };
  try {
    const decision = await finalDecision(parts, server, judge, signal);
    if (decision.do === "keep") return "kept";
    const { reason, lastActivity } = decision;
    if (!isWarned) {
      await bus.request(SpawnCull, {
        userId: server.userId,
        serverName: server.name,
        generation: server.generation,
        reason,
        lastActivity,
      });
      log.info({ ...ids, reason, lastActivity }, "server will be culled");
    }
    if (decision.do === "stop") await stop(parts, server, decision);
    return "pending";
  } catch (error) {
    const code = codeOf(error);
    if (code === "SERVER_ACTIVE") log.info(ids, "server was used meanwhile and is kept");
    else if (code === "SERVER_REPLACED") log.info(ids, "server was started anew meanwhile and is kept");
    else log.warn({ ...ids, code, err: error }, "server not culled");
    return isWarned && !SPARED.includes(code) ? "pending" : "kept";
  }
}

/** The stop carries the generation and activity it was decided by: spawn refuses it when it knows of later ones. */
async function stop({ bus, log }: SweepParts, server: PublishedServer, decision: Ending): Promise<void> {
  const { reason, lastActivity } = decision;
  await bus.request(SpawnStop, {
    userId: server.userId,
    serverName: server.name,
    generation: server.generation,
    reason,
    ...(reason === "idle" ? { ifIdleSince: lastActivity } : {}),
    actor: "system:culler",
  });
  log.info({ userId: server.userId, serverId: server._id, reason, lastActivity }, "server culled");
}

const KEEP: Decision = { do: "keep" };

/** What the policy says once the server was asked. What it tells is passed on as activity, so that everybody knows. */
async function finalDecision(
  parts: SweepParts,
  server: PublishedServer,
  judge: (report?: string) => Decision,
  signal: AbortSignal,
): Promise<Decision> {
  const decision = judge();
  if (decision.do === "keep" || decision.reason !== "idle" || !parts.config.askServers) return decision;
  const ids = { userId: server.userId, serverId: server._id };
  const answer = await ask(parts, server, signal);
  switch (answer.kind) {
    case "mute":
      return decision;
    case "unknown":
      parts.log.warn({ ...ids, why: answer.why }, "idle server did not say whether it computes and is kept");
      return KEEP;
    case "computing":
      parts.log.debug({ ...ids, kernels: answer.kernels }, "server computes and is kept");
      tell(parts, server, timestamp(parts.clock.now()));
      return KEEP;
    case "idle":
      if (answer.lastActivity > decision.lastActivity) tell(parts, server, answer.lastActivity);
      return judge(answer.lastActivity);
  }
}

/** With a token made for this one look: auth registers its digest, it may access this one server, and dies in a minute. */
async function ask({ bus }: SweepParts, server: PublishedServer, signal: AbortSignal): Promise<Answer> {
  const token = newId();
  await bus.request(AuthGrantProbe, {
    userId: server.userId,
    serverId: server._id,
    generation: server.generation,
    tokenDigest: digest(token),
    actor: "system:culler",
  });
  return askServer(server, token, signal);
}

const tell = ({ bus }: SweepParts, { userId, _id }: PublishedServer, report: string): void =>
  bus.notify(ActivitySeen, { entries: [{ userId, key: `s:${_id}`, last: { report } }] }, {});
