import type { AwayCode } from "@elara/runtime/is-away";
import type { Backend } from "../backends.ts";
import type { ServerDoc } from "../decision.ts";
import type { Backoff } from "../pace.ts";
import type { SpawnParts } from "../parts.ts";

/** A backend call that was given up: who waits for it goes on without it. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** What a driver remembers between steps; all of it may be lost with the process. */
export interface DriveMemory {
  /** What a submit returned late that had ignored its abort. */
  late: { readonly generation: number; readonly handle: Record<string, unknown> } | undefined;
  /** The stop was taken by the backend; now only the end is waited for. */
  isStopAsked: boolean;
  cleanups: number;
  /** A search that was not answered is not repeated before this (monotonic), unless another wish came. */
  search: { readonly notBefore: number; readonly wish: string };
  /** Why the last grant was not given. */
  awayCode: AwayCode;
}

/** One server being driven, as its steps see it. */
export interface Drive {
  readonly parts: SpawnParts;
  readonly backend: Backend;
  readonly memory: DriveMemory;
  readonly retry: Backoff;
  /** Pauses between searches that are not answered. */
  readonly searchRetry: Backoff;
  /** The document is still this driver's: same driver, same generation. */
  isOwn(doc: ServerDoc): boolean;
  /**
   * Runs a backend call. Each second the document is read again: the call's signal is aborted when `stays` no longer
   * holds, the deadline passed, this instance is fenced or another driver took over. Then the call may settle; if it
   * does not, Interrupted is thrown and the call goes on unheard. With "leave", a call that another driver takes over
   * (or may, after a fence) is not aborted: a plugin that cleans up would take back the server of its successor.
   */
  call<T>(
    doc: ServerDoc,
    work: (signal: AbortSignal) => Promise<T>,
    stays: (current: ServerDoc) => boolean,
    ifSuperseded?: "abort" | "leave",
  ): Promise<T>;
  /** Cuts the driver's sleep short. */
  ring(): void;
}

/** What a step says: milliseconds until the next look (0: at once). */
export type Pause = number;
export type DriveStep = (drive: Drive, doc: ServerDoc) => Promise<Pause>;
