/** Where subscribers from outside come to the bus with a token of the hub. Only over NATS; the decisions are auth's. */
export interface EventGate {
  /** Opens the gate: until then nobody gets in. Once. */
  open(keeper: GateKeeper): void;
  readonly consumers: SubscriberConsumers;
  /** Who is connected from outside now, on all servers. Throws BUS_AWAY, BUS_TIMEOUT. */
  connections(): Promise<OutsideConnection[]>;
  close(): Promise<void>;
}

/** What the gate asks of whoever knows tokens. */
export interface GateKeeper {
  /** Decides about one attempt to connect; undefined refuses it, without a reason to the one who tries. */
  admit(attempt: Attempt): Promise<Pass | undefined>;
  /** A subscriber wants its consumer, or wants it to stand elsewhere. A HubError is told to it. */
  position(subscriber: string, wish: unknown): Promise<Position>;
}

/** Somebody wants to connect. */
export interface Attempt {
  /** As it came: not to be logged. "" for none. */
  readonly token: string;
  readonly address: string;
}

/** Lets in. */
export interface Pass {
  /** Public id of the token: name of user and consumer. */
  readonly subscriber: string;
  /** When the token expires, in milliseconds since 1970: the server then ends the connection by itself. */
  readonly until?: number;
}

/** The answer to a subscriber that asked for its position; as much of JetStream's ConsumerInfo as libraries take for one. */
export interface Position {
  readonly stream_name: string;
  readonly name: string;
  /** What it gets: subjects of the stream. */
  readonly config: { readonly filter_subjects: readonly string[]; readonly ack_policy: "explicit" };
  /** Nothing was there before. */
  readonly created: boolean;
  /** Sequences between where it stood and the first that is kept: some of them may have been for it. */
  readonly missed?: { readonly from: number; readonly to: number };
}

export interface OutsideConnection {
  readonly subscriber: string;
  /** Ends it. */
  end(): Promise<void>;
}

/** From where a consumer reads. */
export type Start =
  | { readonly from: "all" }
  | { readonly from: "new" }
  | { readonly from: "sequence"; readonly sequence: number }
  | { readonly from: "time"; readonly time: string };

/** A consumer of a subscriber on the stream of events. */
export interface SubscriberConsumer {
  readonly subscriber: string;
  readonly filters: readonly string[];
  /** What the subscriber asked for, of what it may have. */
  readonly wish: readonly string[];
  /** Nothing before this stream sequence is for it. */
  readonly start: number;
  /** The first stream sequence it may still have to get. */
  readonly place: number;
  /** Whose token it is, as auth counts. */
  readonly owner: string;
}

/** The consumers of subscribers; they are the hub's, never the subscribers'. All throw BUS_AWAY, BUS_TIMEOUT, BUS_STREAM_MISSING. */
export interface SubscriberConsumers {
  readonly stream: string;
  /** All of them, by pages. */
  list(): AsyncIterable<readonly SubscriberConsumer[]>;
  get(subscriber: string): Promise<SubscriberConsumer | undefined>;
  /** Makes it anew, in place of one that is there. */
  make(
    subscriber: string,
    what: Pick<SubscriberConsumer, "filters" | "wish" | "owner"> & { readonly start: Start },
  ): Promise<void>;
  /**
   * Gives it other filters. What it went past in the last minute and is only now for it makes it go back there; from
   * nothing (NO_EVENT) it goes back to where it stood when it got nothing.
   */
  refilter(consumer: SubscriberConsumer, filters: readonly string[], wish?: readonly string[]): Promise<void>;
  /** The first stream sequence that is kept and the last there ever was. */
  span(): Promise<{ readonly first: number; readonly last: number }>;
  /** True when there was one. */
  remove(subscriber: string): Promise<boolean>;
}
