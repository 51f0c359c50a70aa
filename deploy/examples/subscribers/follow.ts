// Follows a hub's events over NATS. npm install @nats-io/transport-node @nats-io/jetstream; node follow.ts
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConsumerInfo, jetstream } from "@nats-io/jetstream";
import { AuthorizationError, connect } from "@nats-io/transport-node";

const { ELARA_TOKEN: token = "", ELARA_NATS: servers = "127.0.0.1:4222", ELARA_FROM: from } = process.env;
const inboxPrefix = `_INBOX_${createHash("sha256").update(token).digest("hex").slice(0, 16)}`;
/** Refused so often in a row, it is the token: a hub that is away, as while it is restarted, refuses too. */
const PATIENCE = 30;
let refusals = 0;
function tell(error: unknown): void {
  process.stderr.write(`${error}, trying again\n`);
  refusals = error instanceof AuthorizationError ? refusals + 1 : 0;
  if (refusals < PATIENCE) return;
  process.stderr.write(
    "The hub refuses this token: it is unknown, revoked, expired, may read no events, or has too many connections.\n",
  );
  process.exit(1);
}
/** For ever, but for refusals. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      tell(error);
      await sleep(2000);
    }
  }
}
const options = { servers, token, inboxPrefix, maxReconnectAttempts: -1, ignoreAuthErrorAbort: true };
const connection = await again(() => connect(options));
refusals = 0;
// Who is refused later, as with a token that is revoked, is told so here.
void (async () => {
  for await (const status of connection.status()) {
    if (status.type === "error") tell(status.error);
    if (status.type === "reconnect") refusals = 0;
  }
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
