import {
  type AnswerOf,
  codeOf,
  ERRORS,
  HubError,
  type OrderContract,
  OrderReply,
  orderSubject,
  type RequestOf,
} from "@elara/contracts";
import { newId } from "../id.ts";
import { currentTraceparent } from "../telemetry/tracer.ts";
import { ORDER_DEADLINE_MS, ORDER_REPEATS_MS, type RequestOptions } from "./bus.ts";
import { checked, decode, encode } from "./checked.ts";
import type { Wire } from "./wire.ts";

/** Sends an order and waits for its answer: repeated with the same id at 300 ms and 1 s, over at 2 s. */
export function callOrder<O extends OrderContract>(
  wire: Wire,
  contract: O,
  request: RequestOf<O>,
  options: RequestOptions = {},
): Promise<AnswerOf<O>> {
  options.signal?.throwIfAborted();
  const { traceparent = currentTraceparent() } = options;
  const message = {
    orderId: options.orderId ?? newId(),
    request: checked(contract.request, request, contract.type),
    ...(traceparent === "" ? {} : { traceparent }),
  };
  const bytes = encode(message, contract.type);
  if (!wire.connected) throw new HubError("BUS_AWAY", { detail: { order: contract.type } });

  const { promise, resolve, reject } = Promise.withResolvers<AnswerOf<O>>();
  const started = performance.now();
  let open = true;
  let tries = 0;
  let refused = 0;
  const triesInAll = ORDER_REPEATS_MS.length + 1;

  const settle = (how: () => void) => {
    if (!open) return;
    open = false;
    for (const timer of timers) clearTimeout(timer);
    options.signal?.removeEventListener("abort", aborted);
    how();
  };
  const attempt = async () => {
    tries += 1;
    const leftMs = Math.max(1, ORDER_DEADLINE_MS - (performance.now() - started));
    let reply: Uint8Array;
    try {
      reply = await wire.ask(orderSubject(contract), bytes, leftMs);
    } catch (error) {
      // No answer to this try says little: a replica may be coming back, another try may be under way.
      if (codeOf(error) === "BUS_NO_RESPONDERS") refused += 1;
      if (refused === triesInAll) settle(() => reject(failure("BUS_NO_RESPONDERS", contract)));
      return;
    }
    try {
      const answer = answerIn(contract, reply);
      settle(() => resolve(answer));
    } catch (refusal) {
      settle(() => reject(refusal));
    }
  };
  const expire = () =>
    settle(() => {
      const code = !wire.connected ? "BUS_AWAY" : refused === tries ? "BUS_NO_RESPONDERS" : "BUS_TIMEOUT";
      reject(failure(code, contract));
    });
  const aborted = () => settle(() => reject(options.signal?.reason));

  const timers = [
    ...ORDER_REPEATS_MS.map((ms) => setTimeout(() => void attempt(), ms)),
    // After a stalled loop the answer may already be in the socket: let it be read first.
    setTimeout(() => setImmediate(expire), ORDER_DEADLINE_MS),
  ];
  options.signal?.addEventListener("abort", aborted);
  void attempt();
  return promise;
}

function failure(code: "BUS_AWAY" | "BUS_NO_RESPONDERS" | "BUS_TIMEOUT", contract: OrderContract): HubError {
  return new HubError(code, {
    operator: `${ERRORS[code].operator} Order: ${contract.type}.`,
    detail: { order: contract.type },
  });
}

function answerIn<O extends OrderContract>(contract: O, bytes: Uint8Array): AnswerOf<O> {
  const reply = checked(OrderReply, decode(bytes, contract.type), contract.type);
  if (reply.ok) return checked<O["answer"]>(contract.answer, reply.answer, contract.type);
  const { code, ...rest } = reply.error;
  throw new HubError(code, rest);
}
