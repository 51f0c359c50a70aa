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
import type { Clock } from "../clock.ts";
import { within } from "../within.ts";
import { MAX_WAITING, ORDER_DEADLINE_MS, type OrderMeta } from "./bus.ts";
import { checked, decode, encode } from "./checked.ts";
import { STALL_MS } from "./loop-watch.ts";
import type { OnMessage } from "./wire.ts";

export type OrderHandler<O extends OrderContract> = (
  request: RequestOf<O>,
  meta: OrderMeta,
) => Promise<AnswerOf<O>>;

export interface OrderDeskOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Called as an order comes in; it may call `distrust`. */
  readonly beforeOrder: (() => void) | undefined;
}

/** Takes the orders of one contract, side by side; beyond 1,000 at work they are dropped, and the caller repeats. */
export class OrderDesk<O extends OrderContract> {
  readonly #contract: O;
  readonly #handler: OrderHandler<O>;
  readonly #log: Logger;
  readonly #options: OrderDeskOptions;
  readonly #working = new Set<Promise<void>>();
  /** Raised when what is still on its way is no longer trusted to be young. */
  #era = 0;

  constructor(contract: O, handler: OrderHandler<O>, options: OrderDeskOptions) {
    this.#options = options;
    this.#contract = contract;
    this.#handler = handler;
    this.#log = options.log;
  }

  /** What takes the orders of one subscription, until `distrust`. */
  opened(): OnMessage {
    const era = this.#era;
    return (bytes, answer) => {
      this.#options.beforeOrder?.();
      if (era === this.#era) this.#take(bytes, answer);
      else this.#drop();
    };
  }

  /**
   * This process stood: what the subscriptions opened so far still bring may be older than any caller waits, and is
   * dropped. What a later one brings was sent on after it was opened.
   */
  distrust(): void {
    this.#era += 1;
  }

  readonly #take: OnMessage = (bytes, answer) => {
    if (this.#working.size >= MAX_WAITING) {
      this.#log.warn({ order: this.#contract.type, working: this.#working.size }, "order dropped");
      return;
    }
    const work = this.#answer(bytes).then((reply) => {
      this.#working.delete(work);
      if (reply === undefined) this.#drop();
      else answer(reply);
    });
    this.#working.add(work);
  };

  /** Resolves when all orders taken so far are answered, or too old for anybody to wait for the answer. */
  async idle(): Promise<void> {
    await within(ORDER_DEADLINE_MS, Promise.all(this.#working));
  }

  #drop(): void {
    this.#log.debug({ order: this.#contract.type }, "order too old, dropped");
  }

  /** undefined: it became too old before its turn. */
  async #answer(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const { clock } = this.#options;
    const takenAt = clock.monotonic();
    await new Promise(setImmediate);
    if (clock.monotonic() - takenAt > STALL_MS) return undefined;
    const order = this.#contract.type;
    try {
      const message = checked(OrderMessage, decode(bytes, order), order);
      const request = checked<O["request"]>(this.#contract.request, message.request, order);
      const { orderId, traceparent = "" } = message;
      const answer = await this.#handler(request, { orderId, traceparent });
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
  const { code, message, status, retryable, retryAfterSeconds, field } =
    error instanceof HubError ? error : new HubError("INTERNAL");
  return {
    ok: false,
    error: {
      code,
      message,
      status,
      retryable,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(field === "" ? {} : { field }),
    },
  };
}
