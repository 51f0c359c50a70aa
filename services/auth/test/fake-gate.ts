import type {
  EventGate,
  GateKeeper,
  OutsideConnection,
  SubscriberConsumer,
  SubscriberConsumers,
} from "@elara/runtime/bus/accounts/event-gate";

/** A gate without NATS: who is connected, which consumers there are, and what was asked of it. Several replicas may keep it. */
export class FakeGate implements EventGate {
  readonly kept = new Map<string, SubscriberConsumer>();
  readonly connected: { subscriber: string; fails?: boolean }[] = [];
  readonly keepers: GateKeeper[] = [];
  /** Subscribers in the order they were asked for, by `get`. */
  readonly looked: string[] = [];
  listed = 0;
  /** What `connections`, `refilter` or any use of consumers fails with. */
  faults: { connections?: Error; refilter?: string; consumers?: Error } = {};
  log = { first: 1, last: 0 };

  open(keeper: GateKeeper): void {
    this.keepers.push(keeper);
  }

  /** The one who asks gets in or not, at the first replica. */
  async enter(token: string, address = "192.0.2.1"): Promise<string | undefined> {
    const pass = await this.keepers[0]?.admit({ token, address });
    if (pass) this.connected.push({ subscriber: pass.subscriber });
    return pass?.subscriber;
  }

  async ask(subscriber: string, body: unknown = {}) {
    const [keeper] = this.keepers;
    if (!keeper) throw new Error("nobody keeps the gate");
    return keeper.position(subscriber, body);
  }

  async connections(): Promise<OutsideConnection[]> {
    if (this.faults.connections) throw this.faults.connections;
    return this.connected.map((connection) => ({
      subscriber: connection.subscriber,
      end: async () => {
        if (connection.fails) throw new Error("not ended");
        const at = this.connected.indexOf(connection);
        if (at >= 0) this.connected.splice(at, 1);
      },
    }));
  }

  #assertThere(): void {
    if (this.faults.consumers) throw this.faults.consumers;
  }

  readonly consumers: SubscriberConsumers = {
    stream: "elara-events",
    list: () => this.#pages(),
    get: async (subscriber) => {
      this.#assertThere();
      this.looked.push(subscriber);
      return this.kept.get(subscriber);
    },
    make: async (subscriber, { filters, wish, owner, start }) => {
      this.#assertThere();
      const first = start.from === "all" ? this.log.first : this.log.last + 1;
      this.kept.set(subscriber, { subscriber, filters, wish, owner, start: first, place: first });
    },
    refilter: async (consumer, filters, wish = consumer.wish) => {
      this.#assertThere();
      if (this.faults.refilter === consumer.subscriber) throw new Error("not refiltered");
      this.kept.set(consumer.subscriber, { ...consumer, filters, wish });
    },
    span: async () => {
      this.#assertThere();
      return this.log;
    },
    remove: async (subscriber) => {
      this.#assertThere();
      return this.kept.delete(subscriber);
    },
  };

  async *#pages(): AsyncGenerator<readonly SubscriberConsumer[]> {
    this.#assertThere();
    this.listed += 1;
    if (this.kept.size > 0) yield [...this.kept.values()];
  }

  async close(): Promise<void> {}
}
