import type { Server } from "@elara/contracts";

type Labelled = Pick<Server, "userId" | "_id" | "userName" | "name" | "generation">;

/** What every server event carries. */
export const eventData = (doc: Labelled) => ({
  userId: doc.userId,
  serverId: doc._id,
  userName: doc.userName,
  serverName: doc.name,
  generation: doc.generation,
});
