import { connect } from "node:net";
import type { Bus } from "@elara/runtime/bus/bus";
import { memoryNetwork } from "@elara/runtime/bus/memory";
import { natsBus } from "@elara/runtime/bus/nats";
import { busOver } from "@elara/runtime/bus/over-wire";
import type { Wire } from "@elara/runtime/bus/wire";
import { pino } from "pino";

/** A bus, and all that went over it, answers too. */
export interface Overheard {
  readonly bus: Bus;
  heard(): string;
  close(): Promise<void>;
}

const log = pino({ level: "silent" });

/** The bus in memory: whatever one of its ends hands over or gets. */
export function overheardMemory(): Overheard {
  const chunks: string[] = [];
  const hear = <T>(bytes: Uint8Array, then: T): T => {
    chunks.push(Buffer.from(bytes).toString("latin1"));
    return then;
  };
  const network = memoryNetwork();
  const inner = network.wire();
  const wire: Wire = {
    get connected() {
      return inner.connected;
    },
    facts: inner.facts,
    onChange: (listener) => inner.onChange(listener),
    send: (subject, bytes) => inner.send(subject, hear(bytes, bytes)),
    store: (subject, bytes, id) => inner.store(subject, hear(bytes, bytes), id),
    ask: async (subject, bytes, timeoutMs) => {
      chunks.push(subject);
      const answer = await inner.ask(subject, hear(bytes, bytes), timeoutMs);
      return hear(answer, answer);
    },
    listen: (pattern, queue, onMessage) => inner.listen(pattern, queue, onMessage),
    close: () => inner.close(),
  };
  return {
    bus: busOver(wire, { log, name: "hub" }),
    heard: () => chunks.join("\n"),
    close: async () => network.close(),
  };
}

/** A nats-server: whatever it sends to one who subscribes to everything. */
export async function overheardNats(address: string): Promise<Overheard> {
  const [host = "", port = ""] = address.split(":");
  const chunks: string[] = [];
  const socket = connect({ host, port: Number(port) });
  const subscribed = Promise.withResolvers<void>();
  socket.setEncoding("latin1").on("data", (text: string) => {
    chunks.push(text);
    if (text.includes("PONG")) subscribed.resolve();
    if (text.includes("PING")) socket.write("PONG\r\n");
  });
  socket.once("error", subscribed.reject);
  socket.write('CONNECT {"verbose":false,"headers":true}\r\nSUB > 1\r\nPING\r\n');
  await subscribed.promise;
  return {
    bus: await natsBus({ servers: [address], log, name: "hub" }),
    heard: () => chunks.join(""),
    close: async () => void socket.destroy(),
  };
}
