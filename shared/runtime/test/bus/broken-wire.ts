import type { Wire } from "../../src/bus/wire.ts";

/** Copies of the memory adapter with one fault each, and the promise of the suite that each one breaks. */
export const BREAKAGES: Record<string, { breaks: string; wire: (sound: Wire) => Wire }> = {
  "queues are forgotten": {
    breaks: "gives each message of a queue to one member, and every member some",
    wire: (sound) => changed(sound, { listen: (pattern, _, take) => sound.listen(pattern, undefined, take) }),
  },
  "one message in forty is lost": {
    breaks: "delivers in order, one at a time, and survives a handler that throws",
    wire: (sound) => {
      let count = 0;
      const send: Wire["send"] = (subject, bytes) => {
        count += 1;
        if (count % 40 !== 0) sound.send(subject, bytes);
      };
      return changed(sound, { send });
    },
  },
  "messages overtake each other": {
    breaks: "delivers in order, one at a time, and survives a handler that throws",
    wire: (sound) => {
      const listen: Wire["listen"] = (pattern, queue, take) => {
        let count = 0;
        return sound.listen(pattern, queue, (bytes, answer) => {
          count += 1;
          if (count % 7 === 0) setTimeout(() => take(bytes, answer), 20);
          else take(bytes, answer);
        });
      };
      return changed(sound, { listen });
    },
  },
  "a fact is acknowledged and not sent": {
    breaks: "brings a fact to every subscriber, as a copy, in a later turn",
    wire: (sound) => changed(sound, { store: async () => {} }),
  },
  "nobody is told that nobody serves": {
    breaks: "says that nobody serves an order, before the deadline",
    wire: (sound) => changed(sound, { ask: () => new Promise(() => {}) }),
  },
  "an order is answered by its echo": {
    breaks: "answers an order, with the request checked on the way",
    wire: (sound) => changed(sound, { ask: async (_, bytes) => bytes }),
  },
  "sending works while away": {
    breaks: "fails at once while away, tells of both, and works again with all subscriptions",
    wire: (sound) => {
      const lost = async () => {};
      return changed(sound, { store: lost, isConnected: () => true });
    },
  },
  "kept facts have a hole": {
    breaks:
      "reads facts again, from the beginning and behind a position, with their ids, then those that come",
    wire: (sound) => {
      async function* read(options: Parameters<Wire["facts"]["read"]>[0]) {
        let count = 0;
        for await (const fact of sound.facts.read(options)) {
          count += 1;
          if (count !== 3) yield fact;
        }
      }
      return changed(sound, { facts: { span: () => sound.facts.span(), read } });
    },
  },
  "a member that left gets orders": {
    breaks: "shares orders among replicas; one that leaves gets none and finishes what it has",
    wire: (sound) => {
      const listen: Wire["listen"] = (pattern, queue, take) => {
        sound.listen(pattern, queue, take);
        return async () => {};
      };
      return changed(sound, { listen });
    },
  },
};

type Changes = Partial<Pick<Wire, "send" | "store" | "ask" | "listen" | "facts">> & {
  isConnected?: () => boolean;
};

function changed(sound: Wire, { isConnected, ...changes }: Changes): Wire {
  return {
    send: (subject, bytes) => sound.send(subject, bytes),
    store: (subject, bytes, id) => sound.store(subject, bytes, id),
    ask: (subject, bytes, timeoutMs) => sound.ask(subject, bytes, timeoutMs),
    listen: (pattern, queue, take) => sound.listen(pattern, queue, take),
    onChange: (listener) => sound.onChange(listener),
    facts: sound.facts,
    close: () => sound.close(),
    ...changes,
    get connected() {
      return isConnected?.() ?? sound.connected;
    },
  };
}
