import {
  type AnswerOf,
  type AuthPreSpawn,
  codeOf,
  HubError,
  preSpawnContext,
  type RequestOf,
} from "@elara/contracts";
import { sealMessage } from "@elara/runtime/sealed-message";
import { serverById } from "@elara/runtime/store/read/servers";
import { MAX_PRE_SPAWN_CHARS, serverVariableFault } from "@elara/sdk";
import type { Ground } from "../ground.ts";
import type { KeptLogins } from "../kept/kept-logins.ts";
import type { LoginWay, LoginWays } from "../login/ways.ts";
import type { UserBook } from "../people/user-book.ts";
import { untilAborted } from "../until-aborted.ts";

const CALL_MS = 20_000;
/** The order is repeated after 300 ms and 1 s, and asked anew by a start that waits: the plugin is not. */
const LINGER_MS = 10_000;

export interface PreSpawnParts {
  readonly ground: Ground;
  readonly users: UserBook;
  readonly kept: KeptLogins;
  readonly ways: LoginWays;
}

type Variables = Readonly<Record<string, string>>;

/**
 * `auth.pre_spawn`: asks the authenticator of the user's newest open session of which something was kept, and seals what it
 * says for the one who asks. Who has nothing kept gets an empty environment.
 */
export function preSpawner({ ground, users, kept, ways }: PreSpawnParts) {
  const { clock, log } = ground;
  const asked = new Map<string, Promise<Variables>>();

  /** Of what a log-in keeps nobody is told anything but a start that runs. */
  async function mustBeStarting({ userId, serverId, generation }: RequestOf<typeof AuthPreSpawn>) {
    const server = await serverById(ground.store, serverId);
    const isStarting = server?.phase === "requested" && server.desired === "running";
    if (!isStarting || server.userId !== userId || server.generation !== generation)
      throw new HubError("SERVER_NOT_FOUND");
  }

  async function environmentFor(userId: string, start: string): Promise<Variables> {
    const asks = (name: string) => ways.find(name)?.authenticator.preSpawn !== undefined;
    const newest = await kept.newest(userId, asks);
    const way = newest && ways.find(newest.authenticator);
    const user = await users.living(userId);
    if (!newest || !way || !user) return {};
    const key = `${start} ${newest._id}`;
    const known = asked.get(key);
    if (known) return known;
    const answer = ask(way, { userName: user.name, authState: kept.open(newest) });
    asked.set(key, answer);
    const forget = () => void setTimeout(() => asked.delete(key), LINGER_MS).unref();
    answer.then(forget, () => asked.delete(key));
    return answer;
  }

  async function ask(
    way: LoginWay,
    login: { userName: string; authState: Readonly<Record<string, unknown>> },
  ): Promise<Variables> {
    const began = clock.monotonic();
    const signal = AbortSignal.timeout(CALL_MS);
    let variables: unknown;
    try {
      variables = await untilAborted(signal, () => way.authenticator.preSpawn?.({ ...login, signal }) ?? {});
    } catch (cause) {
      if (cause instanceof HubError) throw cause;
      throw new HubError("AUTH_PRE_SPAWN_FAILED", { cause, detail: { authenticator: way.name } });
    }
    if (typeof variables !== "object" || variables === null)
      throw new HubError("AUTH_PRE_SPAWN_FAILED", {
        detail: { authenticator: way.name, why: "its answer is no object" },
      });
    const ms = Math.round(clock.monotonic() - began);
    log.debug({ authenticator: way.name, name: login.userName, ms }, "environment of a login asked for");
    return allowed(way, variables);
  }

  /** Without what is not an authenticator's to set. Values are never logged. */
  function allowed(way: LoginWay, variables: object): Variables {
    const good: Record<string, string> = {};
    for (const [name, value] of Object.entries(variables)) {
      const fault = serverVariableFault(name, value);
      if (fault === undefined) good[name] = value;
      else
        way.log.error(
          { code: "AUTH_PRE_SPAWN_REFUSED", variable: name.slice(0, 64), fault },
          "variable of an authenticator left out",
        );
    }
    return good;
  }

  return async (order: RequestOf<typeof AuthPreSpawn>): Promise<AnswerOf<typeof AuthPreSpawn>> => {
    const { userId, serverId, generation, publicKey } = order;
    try {
      await mustBeStarting(order);
      const variables = await environmentFor(userId, `${serverId} ${generation}`);
      const text = JSON.stringify(variables);
      if (text.length > MAX_PRE_SPAWN_CHARS)
        throw new HubError("AUTH_PRE_SPAWN_FAILED", {
          detail: { why: `its variables have ${text.length} characters, more than ${MAX_PRE_SPAWN_CHARS}` },
        });
      return { sealed: sealMessage(text, publicKey, preSpawnContext(order)) };
    } catch (error) {
      log.warn({ userId, serverId, code: codeOf(error), err: error }, "start gets nothing of the login");
      throw error;
    }
  };
}
