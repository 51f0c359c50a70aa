import { type AnswerOf, HubError, type OrderContract, type RequestOf } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import { currentTraceparent } from "@elara/runtime/telemetry/tracer";
import { Value } from "typebox/value";
import type { ActivityFold } from "../activity.ts";
import type { ServerDoc } from "../decision.ts";
import type { Drivers } from "../drivers.ts";
import type { SpawnParts } from "../parts.ts";

/** What the orders work with. */
export interface Desk {
  readonly parts: SpawnParts;
  readonly drivers: Drivers;
  readonly activity: ActivityFold;
}

/** One order as it came. */
export interface Given<O extends OrderContract> {
  readonly request: RequestOf<O>;
  readonly orderId: string;
  /** W3C traceparent of the span that gave it; absent or "": nobody traces. */
  readonly traceparent?: string;
}

/**
 * The trace that what follows from this order joins. Whoever gave the order is told, not the span that takes it: if this
 * process is killed before it has sent that span, what another one goes on with still hangs on something.
 */
export const traceOf = ({ traceparent }: Pick<Given<OrderContract>, "traceparent">): string =>
  traceparent || currentTraceparent();

const KEPT = 8;

/** The orders of the document with this one: the last eight, so that a repeat is answered and not done again. */
export const withMemo = (
  parts: SpawnParts,
  doc: Pick<ServerDoc, "orders">,
  orderId: string,
  answer: unknown,
) => [...doc.orders.slice(1 - KEPT), { orderId, at: timestamp(parts.clock.now()), answer }];

/** Refuses an order that is about another generation than the one there. */
export function refuseWhenReplaced(doc: Pick<ServerDoc, "generation">, generation: number | undefined): void {
  if (generation !== undefined && generation !== doc.generation) throw new HubError("SERVER_REPLACED");
}

/** The answer this order got before, when it did. */
export function answered<O extends OrderContract>(
  contract: O,
  doc: Pick<ServerDoc, "orders">,
  orderId: string,
): AnswerOf<O> | undefined {
  const answer = doc.orders.find((memo) => memo.orderId === orderId)?.answer;
  return isAnswer(contract, answer) ? answer : undefined;
}

/** Nothing can be asked of a server whose spawner is gone: says which one is to be configured again. */
export const spawnerMissing = (name: string): HubError =>
  new HubError("SPAWN_BACKEND_UNKNOWN", {
    status: 503,
    message: `This server was started by the spawner "${name}", which is not configured any more. It goes on as it is; once the administrators configure "${name}" again it can be stopped.`,
  });

const isAnswer = <O extends OrderContract>(contract: O, answer: unknown): answer is AnswerOf<O> =>
  answer !== undefined && Value.Check(contract.answer, answer);
