import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AuthUpdateUser } from "@elara/contracts";
import { type AuthenticatedUser, PluginError } from "@elara/sdk";
import { book, provider } from "./authenticators.ts";
import { Stand, type StandOptions } from "./stand.ts";

const opened = async (
  t: { after(end: () => Promise<void>): void },
  authenticators: NonNullable<StandOptions["authenticators"]>,
  config: Record<string, unknown> = {},
): Promise<Stand> => {
  const stand = await Stand.open({ authenticators, config: { allowAll: false, ...config } });
  t.after(() => stand.close());
  return stand;
};
const came = async (stand: Stand, code: string): Promise<number> =>
  (await stand.atProvider(code)).answer.statusCode;
const typed = async (stand: Stand, name: string): Promise<number> =>
  (await stand.browser().login(name, `${name}-secret`)).statusCode;

describe("who is let in, by which authenticator", () => {
  test("a name in an entry lets in by that entry only; the hub's names do not hold there", async (t) => {
    const stand = await opened(t, [book({ rules: { allowedUsers: ["Ada"] } }), provider()], {
      allowedUsers: ["grace"],
    });
    assert.equal(await came(stand, "ada"), 403, "the provider's ada is somebody else");
    assert.equal(await stand.userNamed("ada"), undefined, "and claims nothing");
    assert.equal(await typed(stand, "ada"), 302);
    assert.equal(await typed(stand, "grace"), 403);
    assert.equal(await came(stand, "grace"), 302);
  });

  test("administrators of an entry are its own, too", async (t) => {
    const stand = await opened(
      t,
      [book({ rules: { adminUsers: ["root"] } }), provider({ rules: { allowAll: true } })],
      { adminUsers: ["boss"] },
    );
    assert.equal(await typed(stand, "root"), 302);
    assert.equal((await stand.userNamed("root"))?.admin, true);
    assert.equal(await typed(stand, "boss"), 403);
    assert.equal(await came(stand, "boss"), 302);
    assert.equal((await stand.userNamed("boss"))?.admin, false);
  });

  test("an entry that says false or names nobody lets nobody in, whatever the hub says", async (t) => {
    const stand = await opened(
      t,
      [book({ rules: { allowedUsers: [] } }), provider({ rules: { allowAll: false } })],
      { allowAll: true },
    );
    assert.equal(await typed(stand, "ada"), 403);
    assert.equal(await came(stand, "grace"), 403);
  });

  test("a rule of the authenticator's own lets in; without any rule nobody gets in", async (t) => {
    const stand = await opened(t, [
      provider({ who: (code) => (code === "member" ? { allowed: true } : {}) }),
      provider({ name: "none", who: () => ({ allowed: false }) }),
    ]);
    assert.equal(await came(stand, "member"), 302);
    assert.equal(await came(stand, "stranger"), 403);
    assert.equal((await stand.atProvider("other", { way: "none" })).answer.statusCode, 403);
    assert.match((await stand.browser().get("/hub/login")).body, /Nobody may log in yet/);
  });

  test("blocked names are refused by every rule there is", async (t) => {
    const stand = await opened(
      t,
      [book({ rules: { allowAll: true } }), provider({ who: () => ({ allowed: true, admin: true }) })],
      { blockedUsers: ["eve"], allowAll: true },
    );
    assert.equal(await typed(stand, "eve"), 403);
    assert.equal(await came(stand, "Eve"), 403);
    assert.equal(await stand.userNamed("eve"), undefined);
  });

  test("a restriction of the authenticator refuses whom every rule would let in", async (t) => {
    const errors = { BOOK_OUTSIDE: { status: 403, user: "Only people of the institute.", operator: "x" } };
    const outside = provider({
      who: () => {
        throw new PluginError(errors, "BOOK_OUTSIDE", { who: "ada@elsewhere" });
      },
      rules: { allowAll: true },
    });
    const stand = await opened(t, [outside], { allowAll: true });
    const { answer } = await stand.atProvider("ada");
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /Only people of the institute\./);
    assert.match(answer.body, /ada@elsewhere/);
    assert.equal(await stand.userNamed("ada"), undefined);
  });

  test("another name at the provider makes no administrator, and is no way around a block", async (t) => {
    let name = "carl";
    const who = (): Partial<AuthenticatedUser> => ({ subject: "7", name });
    const stand = await opened(t, [provider({ who })], {
      allowAll: true,
      adminUsers: ["root"],
      blockedUsers: ["eve"],
    });
    assert.equal(await came(stand, "x"), 302);
    name = "root";
    assert.equal(await came(stand, "x"), 302, "still carl, for (issuer, subject) is the person");
    assert.equal((await stand.userNamed("carl"))?.admin, false);
    assert.equal(await stand.userNamed("root"), undefined);
    name = "eve";
    assert.equal(await came(stand, "x"), 403);
  });

  test("who is known here is judged by the name they have here, whatever the provider calls them now", async (t) => {
    let name = "ada";
    const who = (): Partial<AuthenticatedUser> => ({ subject: "7", name });
    const stand = await opened(t, [provider({ who })], {
      allowedUsers: ["ada", "grace"],
      blockedUsers: ["eve"],
    });
    assert.equal(await came(stand, "x"), 302);
    for (name of ["ada-lovelace", "Not A Name!", "grace"]) assert.equal(await came(stand, "x"), 302, name);
    assert.equal(await stand.records.users.count(), 1);
    name = "eve";
    assert.equal(await came(stand, "x"), 403, "the block list holds for both names");
    // Renamed here to a name that no rule lets in.
    const user = await stand.userNamed("ada");
    await stand.order(AuthUpdateUser, { userId: user?._id ?? "", name: "lovelace", actor: "system:test" });
    name = "ada";
    assert.equal(await came(stand, "x"), 403);
  });

  test("a name that is taken is refused across authenticators, with what to do; its owner keeps everything", async (t) => {
    const stand = await opened(t, [book(), provider()], { allowAll: true });
    assert.equal(await typed(stand, "ada"), 302);
    const owner = await stand.userNamed("ada");
    const { answer, browser } = await stand.atProvider("Ada");
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /belongs to another account/);
    assert.match(answer.body, /log in the way you did the first time/);
    assert.match(answer.body, /Use another account/);
    assert.equal(browser.cookie("jupyterhub-hub-login"), undefined);
    assert.equal((await stand.userNamed("ada"))?.claimedBy, owner?.claimedBy);
    assert.equal(await stand.records.identities.count({ userId: owner?._id ?? "" }), 1);
    assert.equal(await typed(stand, "ada"), 302);
  });
});
