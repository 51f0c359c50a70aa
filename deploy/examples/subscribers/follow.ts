// Follows a hub's events over NATS. npm install @nats-io/transport-node @nats-io/jetstream; node follow.ts
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConsumerInfo, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const { ELARA_TOKEN: token = "", ELARA_NATS: servers = "127.0.0.1:4222", ELARA_FROM: from } = process.env;
const inboxPrefix = `_INBOX_${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
/** For ever: the hub may be away, as while it is restarted. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      process.stderr.write(`${error}, trying again\n`);
      await sleep(2000);
    }
  }
}
const options = { servers, token, inboxPrefix, maxReconnectAttempts: -1, ignoreAuthErrorAbort: true };
const connection = await again(() => connect(options));
// Who is refused later, as with a token that is revoked, is told so here.
void (async () => {
  for await (const status of connection.status())
    if (status.type === "error") process.stderr.write(`${status.error}\n`);
})();

// Without `from` it goes on where it stood.
const answer = await again(() =>
  connection.request("elara.events.position", JSON.stringify({ from }), { timeout: 5000 }),
);
const position = answer.json<ConsumerInfo & { error?: { message: string } }>();
if (position.error) throw new Error(position.error.message);

const seen = new Set<string>();
const consumer = jetstream(connection).consumers.getConsumerFromInfo(position);
for await (const message of await consumer.consume({ bind: true })) {
  const { id, type, subject, seq } = message.json<{
    id: string;
    type: string;
    subject: string;
    seq: number;
  }>();
  // At least once: the same event may come again, also behind later ones.
  if (!seen.has(id)) process.stdout.write(`${type} ${subject} ${seq}\n`);
  seen.add(id);
  if (seen.size > 10_000) seen.delete(seen.values().next().value ?? "");
  message.ack();
}
