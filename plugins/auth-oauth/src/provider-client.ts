import type { Faults, SharedFault } from "./fault-table.ts";

/** A request to a provider. */
export interface Question {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form, or as JSON. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

/** What a provider answered, whatever its status; `body` is undefined when it is no JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Asks a provider's addresses. */
export interface ProviderClient {
  /** Throws NoAnswer when nothing usable came; redirects are answers. */
  ask(url: string, question?: Question): Promise<Answer>;
  /** For libraries that want to fetch themselves; what is answered was read, up to the same bound. */
  readonly fetch: typeof fetch;
}

/** A provider that could not be asked. Nothing of the question is in it but the address without its query. */
export class NoAnswer extends Error {
  readonly address: string;
  /** `ECONNREFUSED`, `timeout`, … */
  readonly reason: string;

  constructor(url: string, reason: string) {
    super(`no answer from ${addressOf(url)}: ${reason}`);
    this.address = addressOf(url);
    this.reason = reason;
  }
}

/** Runs questions to a provider; what stays unanswered becomes the plugin's UNREACHABLE. */
export async function answered<T>(faults: Faults<SharedFault>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw faults("UNREACHABLE", { detail: { address: error.address, reason: error.reason } });
  }
}

/** For a provider's `check`: somebody answers at each address. Throws the plugin's UNREACHABLE, PROVIDER_ERROR. */
export async function assertAnswering(
  addresses: readonly string[],
  client: Pick<ProviderClient, "ask">,
  faults: Faults<SharedFault>,
  signal: AbortSignal,
): Promise<void> {
  for (const address of addresses) {
    const { status } = await answered(faults, () => client.ask(address, { signal }));
    // Asked without what each of them wants, so a refusal is as good as any answer.
    if (status >= 500) throw faults("PROVIDER_ERROR", { detail: { address, status } });
  }
}

const TIMEOUT_MS = 10_000;
/** Whoever answers must not fill the hub's memory. */
export const MAX_ANSWER_BYTES = 1024 * 1024;
export const TOO_LONG = "answer above 1 MiB";
const addressOf = (url: string): string => url.split(/[?#]/, 1)[0] ?? "";

/** The provider's client. Without TLS verification anybody on the way can answer in the provider's place. */
export async function providerClient({
  isTlsVerified,
  timeoutMs = TIMEOUT_MS,
}: {
  readonly isTlsVerified: boolean;
  readonly timeoutMs?: number;
}): Promise<ProviderClient> {
  const ownFetch = bounded(isTlsVerified ? fetch : await unverifiedFetch());
  return {
    fetch: ownFetch,
    async ask(url, { method = "GET", headers = {}, form, json, signal }: Question = {}) {
      const late = AbortSignal.timeout(timeoutMs);
      const body = form ? new URLSearchParams(form) : json === undefined ? null : JSON.stringify(json);
      try {
        const answer = await ownFetch(url, {
          method,
          headers: {
            accept: "application/json",
            "user-agent": "Elara",
            ...(json === undefined ? {} : { "content-type": "application/json" }),
            ...headers,
          },
          body,
          redirect: "manual",
          signal: signal ? AbortSignal.any([signal, late]) : late,
        });
        return { status: answer.status, headers: answer.headers, body: jsonIn(await answer.text()) };
      } catch (error) {
        // The caller's own reason says more; any other message may carry what was sent.
        signal?.throwIfAborted();
        throw new NoAnswer(url, late.aborted ? "timeout" : reasonOf(error));
      }
    },
  };
}

class TooLong extends Error {
  readonly code = TOO_LONG;
}

/** Gives answers that were read whole, and throws TooLong for those that are longer than anybody reads. */
const bounded =
  (asked: typeof fetch): typeof fetch =>
  async (url, request) => {
    const answer = await asked(url, request);
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    for await (const part of answer.body ?? []) {
      bytes += part.length;
      if (bytes > MAX_ANSWER_BYTES) throw new TooLong();
      parts.push(part);
    }
    const { status, headers } = answer;
    // Some statuses may have no body, not even an empty one.
    return new Response(bytes === 0 ? null : new Blob(parts), { status, headers: new Headers([...headers]) });
  };

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The client's own name and secret, for an Authorization header. */
export const basic = (clientId: string, clientSecret: string): string =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;

/** The code of the deepest cause: fetch itself says "fetch failed" only. */
export function reasonOf(error: unknown): string {
  let code = "";
  for (let here = error; here instanceof Error; here = here.cause)
    if ("code" in here && typeof here.code === "string") code = here.code;
  return code || "no connection";
}

async function unverifiedFetch(): Promise<typeof fetch> {
  const undici = await import("undici");
  const dispatcher = new undici.Agent({ connect: { rejectUnauthorized: false } });
  const unverified: unknown = (url: string, request: import("undici").RequestInit) =>
    undici.fetch(url, { ...request, dispatcher });
  return unverified as typeof fetch;
}
