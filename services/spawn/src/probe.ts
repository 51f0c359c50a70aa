import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { pause } from "@elara/runtime/pause";

/** One look: the status with which `GET {url}` answers, redirects not followed. Rejects when nobody answers. */
export function knock(url: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith("https:") ? requestHttps : requestHttp;
    const call = request(
      url,
      { signal, agent: false, headers: { accept: "application/json" } },
      (response) => {
        response.resume();
        response.once("error", () => {});
        resolve(response.statusCode ?? 0);
      },
    );
    call.once("error", reject);
    call.end();
  });
}

/**
 * Knocks at `{url}{path}api` until somebody answers with a status below 500: then true. False when the signal ends it.
 * Pauses double from `first` to `longest`, with jitter, so that a thousand servers are not asked in step.
 */
export async function answers(
  url: string,
  path: string,
  given: { signal: AbortSignal; first: number; longest: number; tryMs?: number; random?: () => number },
): Promise<boolean> {
  const random = given.random ?? Math.random;
  const target = `${url.replace(/\/$/, "")}${path}api`;
  for (let wait = given.first; !given.signal.aborted; wait = Math.min(wait * 2, given.longest)) {
    const limit = AbortSignal.any([given.signal, AbortSignal.timeout(given.tryMs ?? 5_000)]);
    const status = await knock(target, limit).catch(() => 599);
    if (status < 500) return true;
    await pause(wait * (0.75 + random() / 2), given.signal);
  }
  return false;
}
