import { Readable } from "node:stream";
import { type CloudEvent, HubError } from "@elara/contracts";
import type { Bus, StoredEvent } from "@elara/runtime/bus/bus";
import { within } from "@elara/runtime/within";
import type { Logger } from "pino";
import type { EventQuery } from "./event-query.ts";
import type { Reader } from "./reader.ts";

const HEARTBEAT_MS = 15_000;
const CONFIRM_MS = 1000;
/** A connection that takes nothing for so long is given up: its client comes back to where it was. */
const STUCK_MS = 60_000;
/** How long a stream whose credential is over may take to be fetched. */
const FAREWELL_MS = 2000;
/** How long to wait for the first kept event before the answer begins. */
const FIRST_MS = 1000;

/** How events are written. */
export interface EventFormat {
  readonly contentType: string;
  /** First of all: where the stream begins. */
  open(position: string): string;
  event(event: CloudEvent, position: string): string;
  /** Nothing happened up to this position. */
  heartbeat(position: string): string;
  /**
   * Last of all, when the hub ends the stream; undefined: its time is over, or it goes down, come back. Up to `position`
   * everything is told; `isTold`: the last event that went out has it.
   */
  end(error: HubError | undefined, position: string, isTold: boolean): string;
}

export interface EventStreamOptions {
  readonly bus: Pick<Bus, "events">;
  readonly reader: Reader;
  readonly query: EventQuery;
  readonly format: EventFormat;
  readonly log: Logger;
  /** The service ends. */
  readonly ending: AbortSignal;
  /** Default: 15 s. */
  readonly heartbeatMs?: number;
}

/**
 * The events a reader may see as bytes: kept ones first, then those that come. Reads no faster than its client; ends within
 * a second or two when the credential ends or loses its scopes. Throws, before the first byte, what `bus.events` throws.
 */
export async function eventStream(options: EventStreamOptions): Promise<Readable> {
  const { bus, reader, query, format, log, ending, heartbeatMs = HEARTBEAT_MS } = options;
  const closing = new AbortController();
  const { latest } = await bus.events.span();
  let position = query.after ?? latest;
  let told = position;
  const events = bus.events
    .read({ after: position, signal: AbortSignal.any([closing.signal, ending]) })
    [Symbol.asyncIterator]();
  // A position that is gone is told as an answer, not within the stream.
  const first = events.next();
  first.catch(() => undefined);
  await within(position === latest ? 0 : FIRST_MS, first);

  let drained: (() => void) | undefined;
  let blockedAt: number | undefined;
  const stream = new Readable({
    read() {
      blockedAt = undefined;
      drained?.();
    },
    destroy(error, done) {
      closing.abort();
      drained?.();
      for (const timer of timers) clearInterval(timer);
      done(error);
    },
  });
  let isOver = false;
  const write = async (text: string): Promise<void> => {
    if (isOver || stream.destroyed || stream.push(text)) return;
    blockedAt ??= performance.now();
    await new Promise<void>((resolve) => {
      drained = resolve;
    });
    drained = undefined;
  };
  const end = (error?: HubError): void => {
    if (isOver || stream.destroyed) return;
    stream.push(format.end(error, position, told === position));
    stream.push(null);
    isOver = true;
    closing.abort();
    drained?.();
    // One that takes nothing would otherwise hold its connection for ever.
    setTimeout(() => stream.destroy(), error ? FAREWELL_MS : STUCK_MS).unref();
  };
  const fail = (error: unknown): void => {
    if (closing.signal.aborted) return;
    if (!(error instanceof HubError)) log.error({ err: error }, "event stream failed");
    end(error instanceof HubError ? error : new HubError("INTERNAL"));
  };

  const heartbeat = setInterval(() => {
    if (blockedAt === undefined && !isOver) stream.push(format.heartbeat(position));
    else if (blockedAt !== undefined && performance.now() - blockedAt > STUCK_MS) stream.destroy();
  }, heartbeatMs);
  const confirm = setInterval(() => void reader.confirm().catch(fail), CONFIRM_MS);
  const timers = [heartbeat, confirm];
  const untilMs = query.waitSeconds === undefined ? undefined : query.waitSeconds * 1000;

  const run = async (): Promise<void> => {
    await write(format.open(position));
    let sent = 0;
    const isCaughtUp = () => BigInt(position) >= BigInt(latest);
    let isTimeOver = untilMs === 0;
    if (untilMs !== undefined)
      timers.push(
        setTimeout(() => {
          isTimeOver = true;
          if (isCaughtUp()) end();
        }, untilMs),
      );
    for (let next = await first; !next.done; next = await events.next()) {
      const stored: StoredEvent = next.value;
      const isWanted = await reader.wants(stored.event);
      position = stored.position;
      if (isWanted) {
        sent += 1;
        told = position;
        await write(format.event(stored.event, stored.position));
      }
      if (closing.signal.aborted || isOver) return;
      if (untilMs !== undefined && isCaughtUp() && (sent > 0 || isTimeOver)) end();
    }
    end();
  };
  // Whoever leaves in the middle has to say so: the log would wait to be asked on.
  void run()
    .catch(fail)
    .finally(() => events.return?.());
  ending.addEventListener("abort", () => end(), { once: true, signal: closing.signal });
  return stream;
}
