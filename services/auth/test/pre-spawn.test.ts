import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AuthPreSpawn, HubError, preSpawnContext, type Server, servers } from "@elara/contracts";
import { newServer } from "@elara/contracts/testing";
import { messageKey } from "@elara/runtime/sealed-message";
// @boundaries-ignore the real program is started by the fixture that all rooms share
import { natsMissing, startNats } from "../../../test/fixtures/nats.ts";
import { book, type ProviderOptions, provider } from "./authenticators.ts";
import { type Overheard, overheardMemory, overheardNats } from "./eavesdropper.ts";
import { opener } from "./opener.ts";
import { Stand, until } from "./stand.ts";

const open = opener();

/** What spawn does: writes which generation of the server is being started, asks, and opens the answer. */
async function environmentOf(stand: Stand, name: string, generation = 1): Promise<Record<string, string>> {
  const userId = (await stand.userNamed(name))?._id ?? "";
  await written(stand, { _id: `s${userId}`, userId, userName: name, generation });
  return asked(stand, { userId, serverId: `s${userId}`, generation });
}
async function written(stand: Stand, changes: Partial<Server> & { _id: string; userId: string }) {
  const documents = stand.store.collection(servers);
  await documents.delete(changes._id);
  await documents.insert(newServer({ userName: "ada", desired: "running", phase: "requested", ...changes }));
}
async function asked(
  stand: Stand,
  start: { userId: string; serverId: string; generation: number },
): Promise<Record<string, string>> {
  const key = messageKey();
  const { sealed } = await stand.order(AuthPreSpawn, { ...start, publicKey: key.publicKey });
  return JSON.parse(key.open(sealed, preSpawnContext(start)));
}
const tokenOnly: NonNullable<ProviderOptions["preSpawn"]> = async ({ token }) => ({ PROVIDER_TOKEN: token });

const noNats = await natsMissing();

describe("what a log-in brings into a server", () => {
  test("comes from the newest session that is open and has something; nobody's is no failure", async () => {
    const way = provider({ preSpawn: tokenOnly });
    const stand = await open({ authenticators: [way, book()] });
    const first = await stand.atProvider("ada");
    stand.advance(1);
    const second = await stand.atProvider("ada");
    const [old, newest] = way.seen.tokens;
    assert.deepEqual(await environmentOf(stand, "ada"), { PROVIDER_TOKEN: newest });
    await second.browser.get("/hub/logout");
    assert.deepEqual(await environmentOf(stand, "ada"), { PROVIDER_TOKEN: old });
    await first.browser.get("/hub/logout");
    assert.deepEqual(await environmentOf(stand, "ada"), {});
    await stand.loggedIn("grace");
    assert.deepEqual(await environmentOf(stand, "grace"), {});
  });

  test("is told for a server that is there, of that user and generation, and being started; for no other", async () => {
    const stand = await open({ authenticators: [provider({ preSpawn: tokenOnly })] });
    for (const name of ["ada", "eve"]) await stand.atProvider(name);
    const [userId = "", other = ""] = await Promise.all(
      ["ada", "eve"].map(async (name) => (await stand.userNamed(name))?._id),
    );
    const start = { userId, serverId: "s1", generation: 3 };
    const refused = (wanted: Partial<typeof start>, why: string) =>
      assert.rejects(asked(stand, { ...start, ...wanted }), { code: "SERVER_NOT_FOUND" }, why);
    await refused({}, "no such server");
    await written(stand, { _id: "s1", userId, generation: 3 });
    assert.ok((await asked(stand, start)).PROVIDER_TOKEN);
    await refused({ generation: 2 }, "an earlier generation");
    await refused({ userId: other }, "another user's");
    for (const changes of [
      { phase: "ready" },
      { phase: "stopped" },
      { desired: "stopped" },
      { deletedAt: "2026-01-01T00:00:00.000Z" },
    ] as const) {
      await written(stand, { _id: "s1", userId, generation: 3, deletedAt: "", ...changes });
      await refused({}, JSON.stringify(changes));
    }
  });

  test("the newest is found among any number, and no further looked than to the first open one", async () => {
    const way = provider({ preSpawn: tokenOnly });
    const stand = await open({ authenticators: [way] });
    const { authStates } = stand.records;
    await stand.atProvider("ada");
    const [known] = (await authStates.find()).items;
    assert.ok(known);
    const { rev: _, ...kept } = known;
    // Older ones, whose ids come first.
    for (let n = 0; n < 210; n += 1)
      await authStates.insert({
        ...kept,
        _id: `${n}`.padStart(64, "0"),
        createdAt: new Date(Date.parse(kept.createdAt) - 1000 - n).toISOString(),
      });
    assert.deepEqual(await environmentOf(stand, "ada"), { PROVIDER_TOKEN: way.seen.tokens[0] });
  });

  test("a session that is over brings nothing, also before anybody cleared it away", async () => {
    const stand = await open({
      authenticators: [provider({ preSpawn: tokenOnly })],
      config: { sessionDays: 1 },
    });
    await stand.atProvider("ada");
    stand.advance(86_400 + 1);
    assert.deepEqual(await environmentOf(stand, "ada"), {});
  });

  test("goes under the user's own name, and with the way it was kept by", async () => {
    const names: string[] = [];
    const way = (name: string) =>
      provider({
        name,
        preSpawn: async ({ userName }) => {
          names.push(`${name} ${userName}`);
          return {};
        },
      });
    const stand = await open({ authenticators: [way("one"), way("two")] });
    await stand.atProvider("Ada", { way: "two" });
    await environmentOf(stand, "ada");
    assert.deepEqual(names, ["two ada"]);
  });

  test("names of the hub and of the account are left out with an error, values stand in no log", async () => {
    const way = provider({
      preSpawn: async () =>
        JSON.parse(
          JSON.stringify({
            GOOD: "value-of-good",
            JUPYTERHUB_API_TOKEN: "value-of-bad",
            PATH: "value-of-path",
            "a b": "x",
            NUMBER: 7,
            NUL: "value\0of-nul",
          }),
        ),
    });
    const stand = await open({ authenticators: [way] });
    await stand.atProvider("ada");
    assert.deepEqual(await environmentOf(stand, "ada"), { GOOD: "value-of-good" });
    for (const name of ["JUPYTERHUB_API_TOKEN", "PATH", "a b", "NUMBER", "NUL"]) {
      const line = stand.lines.find((each) => each.includes(`"variable":"${name}"`));
      assert.match(line ?? "", /"level":50.*AUTH_PRE_SPAWN_REFUSED/, name);
    }
    assert.ok(!stand.lines.some((line) => line.includes("value-of")));
  });

  test("a plugin's refusal keeps its code and words; anything else is told as what it is for the start", async () => {
    let fails: unknown = new HubError("BOOK_EXPIRED", { status: 403, message: "Log in anew." });
    const stand = await open({ authenticators: [provider({ preSpawn: () => Promise.reject(fails) })] });
    await stand.atProvider("ada");
    await assert.rejects(environmentOf(stand, "ada"), { code: "BOOK_EXPIRED", message: "Log in anew." });
    fails = new TypeError("secret-detail");
    await assert.rejects(environmentOf(stand, "ada", 2), { code: "AUTH_PRE_SPAWN_FAILED", status: 502 });
    assert.ok(stand.lines.some((line) => line.includes("secret-detail")));
    fails = undefined;
  });

  test("the plugin is asked once for a start, though the order is repeated while it works", async () => {
    let asked = 0;
    const waiting = Promise.withResolvers<void>();
    const slow = provider({
      preSpawn: async ({ token }) => {
        asked += 1;
        await waiting.promise;
        return { PROVIDER_TOKEN: token };
      },
    });
    const stand = await open({ authenticators: [slow] });
    await stand.atProvider("ada");
    const early = environmentOf(stand, "ada");
    await assert.rejects(early, { code: "BUS_TIMEOUT" });
    waiting.resolve();
    assert.deepEqual(await environmentOf(stand, "ada"), { PROVIDER_TOKEN: slow.seen.tokens[0] });
    assert.equal(asked, 1);
    await environmentOf(stand, "ada", 2);
    assert.equal(asked, 2, "the next start asks anew");
  });

  const overheard: Record<string, { missing?: string | undefined; open(): Promise<Overheard> }> = {
    memory: { open: async () => overheardMemory() },
    nats: {
      missing: noNats,
      open: async () => {
        const nats = await startNats();
        const ear = await overheardNats(nats.address);
        return {
          ...ear,
          close: async () => {
            await ear.close();
            await nats.close();
          },
        };
      },
    },
  };
  for (const [name, { missing, open: listen }] of Object.entries(overheard))
    test(`who listens to the whole bus hears no secret: ${name}`, { skip: missing ?? false }, async () => {
      const ear = await listen();
      const way = provider({ preSpawn: tokenOnly, logout: async () => {} });
      const stand = await Stand.open({ authenticators: [way], bus: ear.bus });
      try {
        const { browser, url } = await stand.atProvider("ada");
        const { PROVIDER_TOKEN: token = "" } = await environmentOf(stand, "ada");
        assert.equal(token, way.seen.tokens[0]);
        const cookie = browser.cookie("jupyterhub-hub-login") ?? "none";
        await browser.get("/hub/logout");
        await until("the log-out is told", () => ear.heard().includes("user.logged_out") || undefined);
        assert.match(ear.heard(), /hub\.or\.v1\.auth\.pre_spawn/);
        assert.match(ear.heard(), /"sealed":"v1\./, "answers are heard, too");
        const state = new URL(url, "http://hub").searchParams.get("state") ?? "";
        for (const secret of [token, state, cookie, JSON.stringify({ PROVIDER_TOKEN: token })])
          for (const spelling of [secret, ...["base64", "hex"].map((as) => encoded(secret, as))])
            assert.ok(!ear.heard().includes(spelling), spelling);
      } finally {
        await stand.close();
        await ear.close();
      }
    });
});

const encoded = (text: string, as: string): string =>
  Buffer.from(text)
    .toString(as === "hex" ? "hex" : "base64")
    .replace(/=+$/, "")
    .slice(0, 40);
