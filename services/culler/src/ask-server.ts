import type { Server } from "@elara/contracts";

/** What a server says of itself. `unknown`: it gave no usable answer, so it is kept. `mute`: it answers, but is no Jupyter server. */
export type Answer =
  | { readonly kind: "idle"; readonly lastActivity: string }
  | { readonly kind: "computing"; readonly kernels: number }
  | { readonly kind: "mute" }
  | { readonly kind: "unknown"; readonly why: string };

/** An answer longer than this is no list of kernels. */
const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 5000;

/**
 * Asks a running server by its own API whether a kernel computes and when it was last used. Asking is no use:
 * `no_track_activity` keeps it out of the server's own books. The token may only access this one server.
 */
export async function askServer(
  server: Pick<Server, "url" | "path">,
  token: string,
  signal: AbortSignal,
): Promise<Answer> {
  const get = (what: string): Promise<Reply> =>
    fetchJson(`${server.url}${server.path}api/${what}?no_track_activity=1`, token, signal);
  const kernels = await get("kernels");
  if (kernels.kind !== "json") return kernels;
  const computing = countComputing(kernels.body);
  if (computing === undefined) return { kind: "mute" };
  if (computing > 0) return { kind: "computing", kernels: computing };
  const status = await get("status");
  if (status.kind !== "json") return status;
  return { kind: "idle", lastActivity: lastActivityOf(status.body) };
}

/** Another kind of program: it does not know the path, or wants a log-in of its own. */
const isOtherProgram = (status: number): boolean =>
  status === 401 || status === 404 || status === 405 || (status >= 300 && status < 400);

type Reply =
  | { readonly kind: "json"; readonly body: unknown }
  | Extract<Answer, { kind: "mute" | "unknown" }>;

async function fetchJson(url: string, token: string, signal: AbortSignal): Promise<Reply> {
  try {
    const response = await fetch(url, {
      headers: { authorization: `token ${token}`, accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.status === 200) return parsed(await readBounded(response));
    await response.body?.cancel();
    return isOtherProgram(response.status)
      ? { kind: "mute" }
      : { kind: "unknown", why: `status ${response.status}` };
  } catch (error) {
    return { kind: "unknown", why: error instanceof Error ? error.message : "no answer" };
  }
}

const parsed = (text: string | undefined): Reply => {
  if (text === undefined) return { kind: "unknown", why: "answer too long" };
  try {
    return { kind: "json", body: JSON.parse(text) };
  } catch {
    return { kind: "mute" };
  }
};

async function readBounded(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Kernels that are busy; undefined when this is no list of kernels. */
const countComputing = (body: unknown): number | undefined =>
  Array.isArray(body)
    ? body.filter(
        (kernel: unknown) =>
          typeof kernel === "object" &&
          kernel !== null &&
          "execution_state" in kernel &&
          kernel.execution_state === "busy",
      ).length
    : undefined;

/** As a document's time, "" when it is missing or no time. */
const lastActivityOf = (body: unknown): string => {
  if (typeof body !== "object" || body === null || !("last_activity" in body)) return "";
  const ms = typeof body.last_activity === "string" ? Date.parse(body.last_activity) : Number.NaN;
  return Number.isNaN(ms) ? "" : new Date(ms).toISOString();
};
