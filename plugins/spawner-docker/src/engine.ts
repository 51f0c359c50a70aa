import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "@elara/contracts";
import Docker from "dockerode";
import { dockerError, optionError } from "./errors.ts";
import type { Options } from "./options.ts";

/** How long one question to the engine may take. */
const SECONDS = 30;

function addressOf(engine: string): URL {
  const url = URL.parse(engine);
  if (url && url.hostname !== "") return url;
  throw optionError("engine", `${engine} is no address; write it as tcp://host:2375 or https://host:2376`);
}

function pemOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw optionError(
      "tlsDir",
      `${file} cannot be read (${codeOf(error)}); the folder has to have ca.pem, cert.pem and key.pem`,
    );
  }
}

/** The engine these options name. Nothing is asked yet. Throws DOCKER_OPTIONS_INVALID for `engine` and `tlsDir`. */
export function openEngine({ engine, tlsDir }: Options): Docker {
  const none = { host: undefined, socketPath: undefined, port: undefined };
  if (engine === "") return new Docker();
  if (engine.startsWith("unix://"))
    return new Docker({ ...none, socketPath: engine.slice(7), protocol: "http" });
  const { hostname, port, protocol } = addressOf(engine);
  const pem = (name: string) => (tlsDir === "" ? undefined : pemOf(join(tlsDir, `${name}.pem`)));
  return new Docker({
    ...none,
    host: hostname,
    port: port === "" ? (protocol === "https:" ? 2376 : 2375) : port,
    protocol: protocol === "https:" ? "https" : "http",
    ...(tlsDir !== "" && { ca: pem("ca"), cert: pem("cert"), key: pem("key") }),
  });
}

/** HTTP status of the engine's answer; 0 when it was none. */
export const statusOf = (error: unknown): number => Number(Object(error).statusCode) || 0;

/** The engine's own words. */
export const wordOf = (error: unknown): string =>
  String(Object(Object(error).json).message ?? Object(error).message ?? error);

/**
 * Asks the engine. Throws the signal's reason when that was aborted, DOCKER_ENGINE_AWAY when no answer came; a refusal
 * is thrown as it is. Without a signal the question is not cut short: for what must be known to be done or not.
 */
export async function ask<T>(
  work: (abortSignal: AbortSignal) => Promise<T>,
  { signal, seconds = SECONDS }: { signal?: AbortSignal; seconds?: number } = {},
): Promise<T> {
  signal?.throwIfAborted();
  const late = AbortSignal.timeout(seconds * 1000);
  const end = signal ? AbortSignal.any([signal, late]) : late;
  // Not every call of dockerode takes a signal.
  const given = Promise.withResolvers<never>();
  const giveUp = () => given.reject(end.reason);
  end.addEventListener("abort", giveUp);
  try {
    return await Promise.race([work(end), given.promise]);
  } catch (error) {
    signal?.throwIfAborted();
    if (statusOf(error) > 0) throw error;
    throw dockerError("DOCKER_ENGINE_AWAY", { detail: wordOf(error), cause: error });
  } finally {
    end.removeEventListener("abort", giveUp);
  }
}

/** Asks, and gives undefined where the engine says that it has no such thing. */
export const askFor = <T>(...args: Parameters<typeof ask<T>>): Promise<T | undefined> =>
  ask<T>(...args).catch((error: unknown) => {
    if (statusOf(error) === 404) return undefined;
    throw error;
  });
