// Follows a hub's events over NATS. npm install @nats-io/transport-node @nats-io/jetstream; node follow.ts
import { createHash } from "node:crypto";
import { type ConsumerInfo, jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const { ELARA_TOKEN: token = "", ELARA_NATS: servers = "127.0.0.1:4222", ELARA_FROM: from } = process.env;
const inboxPrefix = `_INBOX_${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
const connection = await connect({ servers, token, inboxPrefix, maxReconnectAttempts: -1 });

// Without `from` it goes on where it stood.
const answer = await connection.request("elara.events.position", JSON.stringify({ from }));
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
