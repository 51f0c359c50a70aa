import {
  type AnswerOf,
  HubError,
  type OrderContract,
  OrderMessage,
  type OrderReply,
  type RequestOf,
} from "@elara/contracts";
import type { Logger } from "pino";
import type { Static } from "typebox";
import { MAX_WAITING, ORDER_DEADLINE_MS } from "./bus.ts";
import { checked, decode, encode } from "./checked.ts";
import type { OnMessage } from "./wire.ts";
import { within } from "./within.ts";

export type OrderHandler<O extends OrderContract> = (
  request: RequestOf<O>,
  meta: { orderId: string },
) => Promise<AnswerOf<O>>;

/** Takes the orders of one contract, side by side; beyond 1,000 at work they are dropped, and the caller repeats. */
export class OrderDesk<O extends OrderContract> {
  readonly #contract: O;
  readonly #handler: OrderHandler<O>;
  readonly #log: Logger;
  readonly #working = new Set<Promise<void>>();

  constructor(contract: O, handler: OrderHandler<O>, log: Logger) {
    this.#contract = contract;
    this.#handler = handler;
    this.#log = log;
  }

  readonly take: OnMessage = (bytes, answer) => {
    if (this.#working.size >= MAX_WAITING) {
      this.#log.warn({ order: this.#contract.type, working: this.#working.size }, "order dropped");
      return;
    }
    const work = this.#answer(bytes).then((reply) => {
      this.#working.delete(work);
      answer(reply);
    });
    this.#working.add(work);
  };

  /** Resolves when all orders taken so far are answered, or too old for anybody to wait for the answer. */
  async idle(): Promise<void> {
    await within(ORDER_DEADLINE_MS, Promise.all(this.#working));
  }

  async #answer(bytes: Uint8Array): Promise<Uint8Array> {
    await new Promise(setImmediate);
    const order = this.#contract.type;
    try {
      const message = checked(OrderMessage, decode(bytes, order), order);
      const request = checked<O["request"]>(this.#contract.request, message.request, order);
      const answer = await this.#handler(request, { orderId: message.orderId });
      return encode({ ok: true, answer: checked(this.#contract.answer, answer, order) }, order);
    } catch (error) {
      if (!(error instanceof HubError)) this.#log.error({ order, err: error }, "order handler failed");
      else if (error.status >= 500) {
        this.#log.warn({ order, code: error.code, detail: error.detail, err: error.cause }, "order refused");
      }
      return encode(refusal(error), order);
    }
  }
}

// Only what a caller may see: detail and cause stay here.
function refusal(error: unknown): Static<typeof OrderReply> {
  const { code, message, status, retryable, retryAfterSeconds } =
    error instanceof HubError ? error : new HubError("INTERNAL");
  return {
    ok: false,
    error: {
      code,
      message,
      status,
      retryable,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    },
  };
}
