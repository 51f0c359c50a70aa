import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Grounds, groundsMissing, openGrounds } from "../fixtures/backends/grounds.ts";
import { openStand, type Stand } from "../fixtures/backends/stand.ts";
import { openSession, type Session } from "../fixtures/session.ts";

const NAMES = ["local", "ssh-direct"] as const;
const missing = groundsMissing(NAMES);

describe("a start that one backend refuses hinders none at another", { skip: missing }, () => {
  let grounds: Grounds;
  let stand: Stand;
  before(async () => {
    if (missing) return;
    grounds = await openGrounds(NAMES);
    // The answer to an order is what became of it.
    stand = await openStand({
      shape: "alone",
      ...grounds,
      config: { ...grounds.config, web: { slowSpawnSeconds: 30 } },
    });
  });
  after(async () => {
    await stand?.close();
    await grounds?.close();
  });

  const refused = async ({ user, server }: Session, profile: string): Promise<string> => {
    const body = JSON.stringify({ user_options: { profile } });
    const path = `/users/${user}/servers/${server}`;
    const answer = await stand.hub.api(stand.admin, path, { method: "POST", body });
    assert.ok(!answer.ok, `${profile} took ${user}`);
    return answer.text();
  };
  const startsAt = async (session: Session, profile: string): Promise<void> => {
    await session.start({ profile });
    await session.ready(60_000);
    assert.equal(session.processes().length, 1);
    await session.stop();
    await session.gone();
  };

  test("a user without an account on the machines", { timeout: 180_000 }, async () => {
    const session = await openSession(stand.hub, stand.admin, { user: "elara-nobody-there", server: "s" });
    assert.match(await refused(session, "ssh-direct"), /SSH_/);
    await startsAt(session, "local");
    assert.match(await refused(session, "ssh-direct"), /SSH_/);
    const gone = await stand.hub.api(stand.admin, `/users/${session.user}`, { method: "DELETE" });
    assert.equal(gone.status, 204, "and the account can be deleted");
  });

  test("machines that are down", { timeout: 180_000 }, async (t) => {
    const backend = grounds.backends.find(({ name }) => name === "ssh-direct");
    assert.ok(backend);
    const session = await stand.session(backend, "down");
    await backend.outage.begin(stand.hub);
    t.after(() => backend.outage.end(stand.hub));
    assert.match(await refused(session, "ssh-direct"), /SSH_UNREACHABLE/);
    await startsAt(session, "local");
  });
});
