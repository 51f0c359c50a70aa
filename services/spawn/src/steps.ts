import { codeOf, type Doc, type Server, ServerProgress, type Step, spawnLogs } from "@elara/contracts";
import type { Bus } from "@elara/runtime/bus/bus";
import { type Clock, timestamp } from "@elara/runtime/clock";
import type { Documents, Store } from "@elara/runtime/store/store";
import { eventData } from "./event-data.ts";

/** Steps of one chunk, chunks of one attempt: an attempt that chatters is cut off, not the database filled. */
const STEPS_PER_CHUNK = 50;
const CHUNKS = 10;
const MESSAGE_LENGTH = 500;
/** Last lines of a server's output that are kept. */
export const TAIL_LINES = 50;
const LINE_LENGTH = 1_000;
const ATTEMPTS = 12;

/** Steps the hub itself records, with the words the owner reads and how far they are. */
const WORDS = {
  requested: ["Server requested", 0],
  login_awaited: ["Waiting for the hub's log-in service", 5],
  environment: ["Environment prepared", 10],
  queued: ["Waiting in the queue", 15],
  process_started: ["Process started", 50],
  port_answers: ["Port answers", 80],
  route_added: ["Route added", 95],
  ready: ["Server ready", 100],
  stopping: ["Stopping the server", 100],
  stopped: ["Server stopped", 100],
  failed: ["Spawn failed", 100],
} as const satisfies Record<string, readonly [string, number]>;
export type StepName = keyof typeof WORDS;

/** What an attempt went through, kept in `spawn_logs` and told as it happens. */
export interface StepLog {
  /** Records a step of the hub's own; the same step with the same words is recorded once. Throws STORE_AWAY. */
  add(doc: Server, step: StepName, message?: string): Promise<void>;
  /** Records a plugin's step. Throws STORE_AWAY. */
  addOther(doc: Server, step: Pick<Step, "step" | "message" | "progress">): Promise<void>;
  /** Keeps the last lines of the server's output. Throws STORE_AWAY. */
  tail(doc: Server, lines: readonly string[]): Promise<void>;
  /** Deletes what is older than this; returns how many documents. Throws STORE_AWAY. */
  purge(beforeMs: number): Promise<number>;
}

interface StepLogOptions {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
}

/** Opens the logs of attempts. */
export function openStepLog({ store, bus, clock }: StepLogOptions): StepLog {
  const documents: Documents<typeof spawnLogs> = store.collection(spawnLogs);
  type Log = Doc<typeof spawnLogs>;

  const lastChunk = async (doc: Server): Promise<Log | undefined> => {
    const page = await documents.find({
      where: { serverId: doc._id, generation: doc.generation },
      sort: { by: ["serverId", "generation", "chunk", "_id"], desc: true },
      limit: 1,
    });
    return page.items[0];
  };

  const insert = async (doc: Server, chunk: number, content: Pick<Log, "steps" | "tail">) => {
    try {
      await documents.insert({
        _id: `${doc._id}.${doc.generation}.${chunk}`,
        v: 1,
        serverId: doc._id,
        userId: doc.userId,
        generation: doc.generation,
        chunk,
        ...content,
        createdAt: timestamp(clock.now()),
      });
      return true;
    } catch (error) {
      if (codeOf(error) === "STORE_CONFLICT") return false;
      throw error;
    }
  };

  /** Writes onto the last chunk, or a new one; `undefined` from `edit`: nothing to write. */
  const write = async (
    doc: Server,
    edit: (log: Pick<Log, "steps" | "tail">) => Partial<Pick<Log, "steps" | "tail">> | undefined,
  ): Promise<boolean> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const log = await lastChunk(doc);
      const empty = { steps: [], tail: [] };
      const set = edit(log ?? empty);
      if (!set) return false;
      const isFull = log !== undefined && (set.steps?.length ?? 0) > STEPS_PER_CHUNK;
      if (isFull && log.chunk + 1 >= CHUNKS) return false;
      const next = isFull ? { ...empty, steps: set.steps?.slice(-1) ?? [] } : { ...empty, ...set };
      const written =
        log === undefined || isFull
          ? await insert(doc, log === undefined ? 0 : log.chunk + 1, next)
          : (await documents.patch(log._id, log.rev, { set })) !== undefined;
      if (written) return true;
    }
    return false;
  };

  const addOther: StepLog["addOther"] = async (doc, { step, message, progress }) => {
    if (doc.generation < 1) return;
    const entry: Step = {
      at: timestamp(clock.now()),
      step: step.slice(0, 40),
      message: message.slice(0, MESSAGE_LENGTH),
      progress: Math.max(0, Math.min(100, Math.round(progress))),
    };
    const written = await write(doc, ({ steps }) =>
      steps.some((known) => known.step === entry.step && known.message === entry.message)
        ? undefined
        : { steps: [...steps, entry] },
    );
    if (!written) return;
    bus.notify(ServerProgress, { ...eventData(doc), ...entry }, { userId: doc.userId, objectId: doc._id });
  };

  return {
    addOther,
    add(doc, step, message) {
      const [words, progress] = WORDS[step];
      return addOther(doc, { step, message: message ?? words, progress });
    },
    async tail(doc, lines) {
      if (doc.generation < 1 || lines.length === 0) return;
      const kept = lines.slice(-TAIL_LINES).map((line) => line.slice(0, LINE_LENGTH));
      await write(doc, () => ({ tail: kept }));
    },
    async purge(beforeMs) {
      const page = await documents.find({
        where: { createdAt: { lt: timestamp(beforeMs) } },
        sort: { by: ["createdAt", "_id"] },
        limit: 500,
      });
      for (const log of page.items) await documents.delete(log._id);
      return page.items.length;
    },
  };
}
