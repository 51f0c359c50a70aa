import { codeOf, SpawnPurge, type User } from "@elara/contracts";
import { timestamp } from "@elara/runtime/clock";
import type { Ground } from "../ground.ts";
import type { UserBook } from "../people/user-book.ts";

const ACTOR = "system:auth";
const EPOCH = timestamp(0);

/**
 * One look at the users marked as deleting: orders their servers purged; who has none left is buried, identities and clients
 * with them.
 */
export async function farewell({ bus, records, log }: Ground, users: UserBook): Promise<void> {
  let after: string | undefined;
  do {
    const page = await records.users.find({
      where: { deletingAt: { gt: EPOCH }, deletedAt: "" },
      sort: { by: ["deletingAt"] },
      limit: 100,
      ...(after === undefined ? {} : { after }),
    });
    for (const user of page.items) await leave(user);
    after = page.next;
  } while (after !== undefined);

  async function leave(user: User): Promise<void> {
    try {
      const { left } = await bus.request(SpawnPurge, { userId: user._id, actor: ACTOR });
      if (left > 0) return;
    } catch (error) {
      log.warn({ userId: user._id, code: codeOf(error) }, "servers of a user being deleted not purged yet");
      return;
    }
    const identities = await records.identities.find({ where: { userId: user._id } });
    for (const identity of identities.items) await records.identities.delete(identity._id);
    const clients = await records.clients.find({ where: { userId: user._id } });
    for (const client of clients.items) await records.clients.delete(client._id);
    await users.bury(user._id, ACTOR);
    log.info({ userId: user._id, name: user.name }, "user deleted");
  }
}
