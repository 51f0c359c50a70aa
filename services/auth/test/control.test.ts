import assert from "node:assert/strict";
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Stand } from "./stand.ts";

const sockets = (stand: Stand): string[] =>
  readdirSync(join(stand.dataDir, "control")).filter((entry) => entry.endsWith(".sock"));

const ask = (stand: Stand, body: object): Promise<{ status: number; body: Record<string, string> }> =>
  new Promise((resolve, reject) => {
    const socketPath = join(stand.dataDir, "control", sockets(stand)[0] ?? "none");
    const call = request(
      { socketPath, path: "/token", method: "POST", headers: { "content-type": "application/json" } },
      (answer) => {
        let text = "";
        answer.on("data", (chunk) => {
          text += chunk;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify(body));
  });

describe("the control socket", () => {
  let stand: Stand;
  before(async () => {
    stand = await Stand.open({
      config: { allowAll: false, allowedUsers: ["ada"], adminUsers: ["root"], blockedUsers: ["eve"] },
    });
  });
  after(() => stand.close());

  test("is for the hub's own account only", () => {
    const [socket = ""] = sockets(stand);
    assert.equal(statSync(join(stand.dataDir, "control")).mode & 0o777, 0o700);
    assert.equal(statSync(join(stand.dataDir, "control", socket)).mode & 0o777, 0o600);
  });

  test("gives a token, and makes the user whom the rules would let in", async () => {
    const { status, body } = await ask(stand, { name: "Ada", note: "cli", expiresInSeconds: 60 });
    assert.equal(status, 200);
    assert.equal(body.name, "ada");
    const listed = (await stand.api(body.token ?? "", "GET", "/users/ada/tokens")).body.api_tokens;
    assert.equal(listed[0].note, "cli");
    await stand.loggedIn("ada");
  });

  test("administrators of the configuration are administrators; --admin makes one", async () => {
    await ask(stand, { name: "root" });
    assert.equal((await stand.userNamed("root"))?.admin, true);
    await ask(stand, { name: "ada", admin: true });
    assert.equal((await stand.userNamed("ada"))?.admin, true);
  });

  test("says what is wrong", async () => {
    const cases: [object, string, RegExp][] = [
      [{ name: "mallory" }, "LOGIN_NOT_ALLOWED", /no user mallory.*auth\.allowedUsers/],
      [{ name: "eve" }, "LOGIN_NOT_ALLOWED", /eve is blocked/],
      [{ name: "a/b" }, "USER_NAME_INVALID", /Invalid username: a\/b/],
      [{ name: "ada", expiresInSeconds: -1 }, "FIELD_INVALID", /expiresInSeconds/],
      [{ nam: "ada" }, "FIELD_INVALID", /./],
    ];
    for (const [body, code, message] of cases) {
      const answer = await ask(stand, body);
      assert.equal(answer.body.code, code);
      assert.match(answer.body.message ?? "", message);
    }
  });

  test("leftovers of killed processes go at the start, living ones stay", async () => {
    const folder = join(stand.dataDir, "control");
    writeFileSync(join(folder, "auth-dead.sock"), "");
    const living = createServer().listen(join(folder, "auth-living.sock"));
    await new Promise((resolve) => living.once("listening", resolve));
    const before = sockets(stand).length;
    const other = await Stand.open({ with: stand });
    assert.ok(!sockets(stand).includes("auth-dead.sock"));
    assert.ok(sockets(stand).includes("auth-living.sock"));
    assert.equal(sockets(stand).length, before, "one left, one came");
    await other.close({ keepStore: true });
    assert.equal(sockets(stand).length, before - 1, "a closed one takes its socket along");
    await new Promise((resolve) => living.close(resolve));
  });
});
