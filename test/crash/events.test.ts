import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, type TestContext, test } from "node:test";
import { shapeMissing, shapes, startHub, type TestHub } from "../fixtures/hub.ts";
import { readOutboxes } from "../fixtures/outboxes.ts";
import { seen } from "../fixtures/seen-events.ts";
import { type Received, type Subscriber, subscribe, type Way } from "../fixtures/subscriber.ts";
import { until } from "../fixtures/until.ts";

const CHANGES = 200;
/** So many changes are on their way at a time. */
const SIDE_BY_SIDE = 8;
/** The relays are killed from here on, until a kill has caught events that were not sent yet. */
const KILL_AT = CHANGES / 4;
const MOST_KILLS = 8;
/** Documents of a kind that are there in the end, at least: four of five users stay. */
const LEAST = (CHANGES / 5) * 0.8;

/** A change of a user, a token or a server over the API; it is repeated until the hub has done it. */
type Change = (ask: Ask) => Promise<void>;
type Ask = (method: string, path: string, body?: object) => Promise<Answer>;
interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Five changes each: a user, its flag, a token made and revoked, a server made. Every fifth user goes again. */
function changesOf(user: string, index: number): Change[] {
  let tokenId = "";
  // Done by the try whose answer was lost with the hub: there already.
  const made = ({ status, body }: Answer) =>
    assert.ok(
      status === 201 || (status < 500 && /already (exists|has)/.test(JSON.stringify(body))),
      `${status} ${JSON.stringify(body)}`,
    );
  return [
    async (ask) => made(await ask("POST", `/users/${user}`, {})),
    async (ask) => void (await ask("PATCH", `/users/${user}`, { admin: true })),
    async (ask) => {
      const { body } = await ask("POST", `/users/${user}/tokens`, { note: "watched" });
      tokenId = String(Object(body).id);
    },
    async (ask) => made(await ask("PUT", `/users/${user}/servers/research`, {})),
    async (ask) =>
      void (index % 5 === 0
        ? await ask("DELETE", `/users/${user}`)
        : await ask("DELETE", `/users/${user}/tokens/${tokenId}`)),
  ];
}

/** Asks until the hub answers with anything but its own absence. */
const patient =
  (hub: TestHub, token: string): Ask =>
  (method, path, body) =>
    until(
      `${method} ${path}`,
      async () => {
        const answer = await hub.api(token, path, {
          method,
          ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
          signal: AbortSignal.timeout(5000),
        });
        const text = await answer.text();
        if (answer.status >= 500) throw new Error(`${answer.status} ${text}`);
        return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
      },
      40_000,
    );

/** kill -9 of every process with a relay; what it gives back waits until they run again. */
async function killRelays(hub: TestHub): Promise<{ victims: string[]; back: () => Promise<void> }> {
  if (hub.shape === "alone") return { victims: ["elara"], back: await hub.crashSpawn() };
  const before = Object.entries(hub.pids()).filter(([name]) => /^(auth|spawn)-/.test(name));
  for (const [, pid] of before) process.kill(pid, "SIGKILL");
  return {
    victims: before.map(([name]) => name),
    back: () =>
      until(
        "auth and spawn to be back",
        () => before.every(([name, pid]) => (hub.pids()[name] ?? 0) > 0 && hub.pids()[name] !== pid),
        60_000,
      ).then(() => undefined),
  };
}

async function run(hub: TestHub, ways: readonly Way[], watch: string, t: TestContext): Promise<void> {
  const admin = await hub.token("root-admin");
  // They have been there, have seen something, and go.
  const before = new Map<Way, Received[]>();
  for (const way of ways) {
    const subscriber = await subscribe(way, { hub, token: watch });
    await until(`${way} to see something`, () => subscriber.received.length > 0);
    await subscriber.close();
    await subscriber.ended;
    before.set(way, [...subscriber.received]);
  }

  const ask = patient(hub, admin);
  const users = Array.from({ length: CHANGES / 5 }, (_, index) => ({
    changes: changesOf(`watched${index}`, index),
  }));
  let done = 0;
  let crash: Promise<void> = Promise.resolve();
  let isDown = false;
  let kills = 0;
  let pending = 0;
  let victims: string[] = [];
  const crashed = async (): Promise<void> => {
    const killed = await killRelays(hub);
    victims = killed.victims;
    pending = (await readOutboxes(hub)).flatMap((doc) => doc.pendingEvents).length;
    await killed.back();
    isDown = false;
  };
  const worker = async (): Promise<void> => {
    for (let next = users.shift(); next; next = users.shift())
      for (const change of next.changes) {
        await change(ask);
        done += 1;
        if (done < KILL_AT || isDown || pending > 0 || kills === MOST_KILLS) continue;
        isDown = true;
        kills += 1;
        crash = crashed();
        // Whoever waits for it at the end is told; until then the workers go on.
        crash.catch(() => undefined);
      }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  await crash;
  assert.equal(done, CHANGES);
  assert.ok(pending > 0, `none of ${kills} kills caught an event that was not sent yet`);

  const told: { way: Way; last: ReadonlyMap<string, number> }[] = [];
  for (const way of ways) {
    const first = before.get(way) ?? [];
    const after = first.at(-1)?.position ?? "0";
    const subscriber = await subscribe(way, { hub, token: watch, after });
    t.after(() => subscriber.close());
    await caughtUp(hub, admin, way, subscriber, first);
    const received = [...first, ...subscriber.received];
    const { last, events, repeated, gaps } = seen(received);
    t.diagnostic(
      `${hub.shape} ${way}: ${CHANGES} changes, kill -9 of ${victims.join(", ")}, at try ${kills} with ${pending} events in outboxes; ` +
        `${first.length} events before, ${subscriber.received.length} after; ${last.size} documents, ${events} seq, ${repeated} repeated, ${gaps.length} gaps`,
    );
    assert.deepEqual(gaps, []);
    const isAfter = subscriber.received.every(({ position }) => BigInt(position) > BigInt(after));
    assert.ok(isAfter, "nothing of before came again");
    told.push({ way, last });
  }
  // As the store has it: whatever a document counts was seen by everybody.
  if (hub.shape === "alone") await hub.crashSpawn();
  const documents = (await readOutboxes(hub)).filter(({ seq }) => seq > 0);
  for (const part of ["users", "tokens", "servers"])
    assert.ok(documents.filter(({ collection }) => collection === part).length >= LEAST, part);
  for (const { way, last } of told)
    for (const { subject, name, seq, pendingEvents } of documents) {
      const known = last.get(subject) ?? 0;
      // The user that tells each subscriber it has caught up is behind the others.
      if (!name.startsWith("last-"))
        assert.ok(known >= seq - pendingEvents.length, `${way} ${subject}: ${known} of ${seq}`);
    }
}

/** A last change is made, and the subscriber waits for it; everything written before has been sent by then, or is found missing. */
async function caughtUp(
  hub: TestHub,
  admin: string,
  way: Way,
  subscriber: Subscriber,
  before: readonly Received[],
): Promise<void> {
  const name = `last-${way}-${before.length}`;
  await patient(hub, admin)("POST", `/users/${name}`, {});
  await until(`${way} to see the last user`, () =>
    subscriber.received.some(({ data, type }) => type.includes("user.created") && data.name === name),
  );
  // Deletions end in the background.
  await until(`${way} to see every deleted user go`, () => {
    const gone = subscriber.received.filter(({ type }) => type === "org.elara.user.deleted.v1").length;
    return gone >= CHANGES / 25;
  });
}

for (const shape of shapes)
  describe(`subscribers who were away, ${shape}`, { skip: await shapeMissing(shape) }, () => {
    test(`see every seq of ${CHANGES} changes though the relays are killed`, {
      timeout: 180_000,
    }, async (t) => {
      const watch = randomBytes(16).toString("hex");
      const hub = await startHub({
        shape,
        config: {
          hub: { namedServers: true },
          auth: { services: [{ name: "watch", token: { env: "WATCH_TOKEN" }, scopes: ["read:events"] }] },
        },
        env: { WATCH_TOKEN: watch },
      });
      t.after(() => hub.close());
      const began = performance.now();
      await run(hub, shape === "alone" ? ["sse"] : ["sse", "nats"], watch, t);
      t.diagnostic(`${shape}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    });
  });
