import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HubError } from "@elara/contracts";
import { book, provider } from "./authenticators.ts";
import { inputsOf } from "./browser.ts";
import { Stand, until } from "./stand.ts";

describe("log-in by form", () => {
  let stand: Stand;
  before(async () => {
    stand = await Stand.open({
      config: {
        allowAll: false,
        allowedUsers: ["ada", "Bob", "eve", "zoe"],
        adminUsers: ["root"],
        blockedUsers: ["eve"],
      },
    });
  });
  after(() => stand.close());

  test("the page has one form for each way in, with an XSRF token", async () => {
    const browser = stand.browser();
    const page = await browser.get("/hub/login?next=%2Fhub%2Fhome");
    assert.equal(page.statusCode, 200);
    assert.match(page.headers["content-type"]?.toString() ?? "", /^text\/html/);
    const fields = Object.fromEntries(inputsOf(page.body));
    assert.deepEqual(Object.keys(fields).sort(), ["_xsrf", "authenticator", "password", "username"]);
    assert.equal(fields._xsrf, browser.cookie("_xsrf"));
    assert.match(page.body, /action="\/hub\/login\?next=%2Fhub%2Fhome"/);
    assert.match(page.body, /href="\/hub\/oauth_login\/provider\?next=%2Fhub%2Fhome"/);
  });

  test("the right password opens a session, makes the user and tells of it", async () => {
    const browser = stand.browser();
    const answer = await browser.login("Ada", "ada-secret", { next: "/user/ada/lab" });
    assert.equal(answer.statusCode, 302);
    assert.equal(answer.headers.location, "/user/ada/lab");
    const login = answer.cookies.find(({ name }) => name === "jupyterhub-hub-login");
    assert.ok(
      login?.httpOnly && login.path === "/hub/" && login.sameSite === "Lax" && (login.maxAge ?? 0) > 86_400,
    );
    assert.match(browser.cookie("jupyterhub-session-id") ?? "", /^[0-9a-f]{32}$/);
    const user = await stand.userNamed("ada");
    assert.ok(user);
    assert.equal(user.admin, false);
    await stand.event("user.created", ({ data }) => data.name === "ada");
    const event = await stand.event("user.logged_in", ({ data }) => data.name === "ada");
    assert.equal(event.data.authenticator, "book");
    assert.equal(event.actor, `user:${user._id}`);
    assert.equal((await browser.get("/hub/token")).statusCode, 200);
  });

  test("neither the secret of a session nor a password stands in store, events or log", async () => {
    const browser = await stand.loggedIn("bob");
    const secret = browser.cookie("jupyterhub-hub-login") ?? "";
    const { items } = await stand.records.sessions.find();
    for (const text of [JSON.stringify(items), JSON.stringify(stand.seen), stand.lines.join("\n")]) {
      assert.ok(!text.includes(secret));
      assert.ok(!text.includes("bob-secret"));
    }
  });

  test("who is logged in already is sent on", async () => {
    const browser = await stand.loggedIn("ada");
    const answer = await browser.get("/hub/login?next=%2Fhub%2Ftoken");
    assert.equal(answer.statusCode, 302);
    assert.equal(answer.headers.location, "/hub/token");
  });

  test("without a wish one lands at the spawn page, and never outside", async () => {
    for (const next of [
      undefined,
      "https://evil.test/",
      "//evil.test/x",
      "javascript:alert(1)",
      "/\\evil.test",
    ]) {
      const answer = await stand.browser().login("ada", "ada-secret", next === undefined ? {} : { next });
      assert.equal(answer.statusCode, 302);
      const { location } = answer.headers;
      assert.ok(location === "/hub/spawn" || location === "/%5Cevil.test", `${next} → ${location}`);
    }
  });

  test("wrong password and unknown name get the same page: 403, the name kept, no cookie", async () => {
    const pages = await Promise.all(
      [
        ["ada", "wrong"],
        ["nobody", "wrong"],
      ].map(async ([name = "", password = ""]) => {
        const browser = stand.browser();
        const answer = await browser.login(name, password);
        assert.equal(answer.statusCode, 403);
        assert.equal(browser.cookie("jupyterhub-hub-login"), undefined);
        assert.match(answer.body, /Invalid username or password/);
        const fields = Object.fromEntries(inputsOf(answer.body));
        assert.equal(fields.username, name);
        assert.equal(fields.password, "");
        return answer.body.replaceAll(name, "NAME").replaceAll(/nonce="[^"]*"|value="[^"]{20,}"/g, "");
      }),
    );
    assert.equal(pages[0], pages[1]);
  });

  test("a name is shown escaped", async () => {
    const answer = await stand.browser().login('"><script>alert(1)</script>', "x");
    assert.equal(answer.statusCode, 403);
    assert.ok(!answer.body.includes("<script>alert"));
  });

  test("a form without its XSRF token, or with another browser's, is refused", async () => {
    const [one, two] = [stand.browser(), stand.browser("192.0.2.2")];
    await one.get("/hub/login");
    await two.get("/hub/login");
    const fields = { authenticator: "book", username: "ada", password: "ada-secret" };
    for (const answer of [
      await one.post("/hub/login", fields),
      await one.post("/hub/login", { ...fields, _xsrf: two.cookie("_xsrf") ?? "" }),
    ]) {
      assert.equal(answer.statusCode, 403);
      assert.match(answer.body, /Login form invalid or expired/);
    }
    assert.equal(one.cookie("jupyterhub-hub-login"), undefined);
  });

  test("blocked wins over allowed, strangers are told so, administrators are allowed and get the flag", async () => {
    for (const name of ["eve", "mallory"]) {
      const answer = await stand.browser().login(name, `${name}-secret`);
      assert.equal(answer.statusCode, 403);
      assert.match(answer.body, /not allowed to use this hub/);
      assert.equal(await stand.userNamed(name), undefined);
    }
    await stand.loggedIn("root");
    assert.equal((await stand.userNamed("root"))?.admin, true);
  });

  test("names that cannot be a user's are refused", async () => {
    for (const name of ["-rf", "a/b", ".hidden", "a\u200bb", "x".repeat(65), "$(id)"]) {
      const answer = await stand.browser().login(name, `${name.toLowerCase()}-secret`);
      assert.equal(answer.statusCode, 403, name);
      assert.match(answer.body, /Invalid username/);
    }
  });

  test("a form opened before another tab logged in just sends on", async () => {
    const browser = stand.browser();
    await browser.get("/hub/login");
    const stale = browser.cookie("_xsrf") ?? "";
    await browser.login("zoe", "zoe-secret");
    const secret = browser.cookie("jupyterhub-hub-login");
    const fields = { _xsrf: stale, authenticator: "book", username: "ada", password: "ada-secret" };
    const answer = await browser.post("/hub/login?next=%2Fhub%2Fhome", fields);
    assert.equal(answer.headers.location, "/hub/home");
    assert.equal(browser.cookie("jupyterhub-hub-login"), secret);
  });

  test("logging in again ends the old session; the same person keeps the session id, another one does not", async () => {
    const browser = await stand.loggedIn("zoe");
    const cookies = () => ({
      secret: browser.cookie("jupyterhub-hub-login") ?? "",
      sessionId: browser.cookie("jupyterhub-session-id") ?? "",
    });
    const again = (name: string) =>
      browser.post("/hub/login", {
        _xsrf: browser.cookie("_xsrf") ?? "",
        authenticator: "book",
        username: name,
        password: `${name}-secret`,
      });
    const first = cookies();
    await again("zoe");
    const second = cookies();
    await again("ada");
    const third = cookies();
    assert.equal(second.sessionId, first.sessionId);
    assert.notEqual(third.sessionId, second.sessionId);
    for (const { secret } of [first, second]) {
      const old = await stand.browser().get("/hub/token", { cookie: `jupyterhub-hub-login=${secret}` });
      assert.equal(old.statusCode, 302, "the old secret opens nothing");
    }
    assert.equal((await browser.get("/hub/token")).statusCode, 200);
  });
});

describe("identities", () => {
  let stand: Stand;
  before(async () => {
    stand = await Stand.open({
      authenticators: [
        book(),
        book({
          name: "other",
          ask: async (input) => ({ issuer: "other:", subject: "7", name: input.username ?? "" }),
        }),
        book({
          name: "third",
          ask: async (input) => ({ issuer: "third:", subject: "8", name: input.username ?? "" }),
        }),
      ],
    });
  });
  after(() => stand.close());

  test("a second subject with a taken name is refused", async () => {
    await stand.loggedIn("ada");
    const answer = await stand.browser().login("ada", "whatever", { way: "other" });
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /belongs to another account/);
  });

  test("two subjects that claim a fresh name at the same moment: one gets it", async () => {
    stand.meetAt("identities", 2);
    const answers = await Promise.all([
      stand.browser().login("frida", "frida-secret"),
      stand.browser().login("frida", "x", { way: "third" }),
    ]);
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [302, 403]);
    const user = await stand.userNamed("frida");
    assert.equal(await stand.records.identities.count({ userId: user?._id ?? "" }), 1);
  });

  test("a subject keeps its user when its name changes", async () => {
    assert.equal((await stand.browser().login("carl", "x", { way: "other" })).statusCode, 302);
    assert.equal((await stand.browser().login("charles", "x", { way: "other" })).statusCode, 302);
    assert.ok(await stand.userNamed("carl"));
    assert.equal(await stand.userNamed("charles"), undefined);
  });

  test("ten first log-ins of one person at once make one user", async () => {
    await Promise.all(Array.from({ length: 10 }, () => stand.loggedIn("dora")));
    assert.equal(await stand.records.users.count({ name: "dora" }), 1);
    const user = await stand.userNamed("dora");
    assert.equal(await stand.records.identities.count({ userId: user?._id ?? "" }), 1);
  });

  test("the second authenticator's form is folded away and opens after a failed try", async () => {
    const page = await stand.browser().get("/hub/login");
    assert.match(page.body, /<details>\s*<summary[^>]*>Sign in with the other/);
    assert.ok(!page.body.match(/<details>\s*<summary[^>]*>Sign in with the book/));
  });
});

describe("authenticators in trouble", () => {
  test("one that throws or hangs is told as unavailable, and the log says which", async () => {
    const asks = {
      throws: () => Promise.reject(new Error("directory server gone")),
      hangs: () => new Promise<undefined>(() => {}),
      refuses: () =>
        Promise.reject(new HubError("BOOK_EXPIRED", { status: 403, message: "Your account has expired." })),
    };
    const stand = await Stand.open({
      config: { loginSeconds: 0.1 },
      authenticators: Object.entries(asks).map(([name, ask]) => book({ name, ask })),
    });
    for (const way of ["throws", "hangs"]) {
      const answer = await stand.browser().login("ada", "x", { way });
      assert.equal(answer.statusCode, 503, way);
      assert.match(answer.body, /Nobody can be logged in at the moment/);
      assert.ok(
        stand.lines.some(
          (line) => line.includes(`"authenticator":"${way}"`) && line.includes("LOGIN_UNAVAILABLE"),
        ),
      );
    }
    assert.ok(stand.lines.some((line) => line.includes("directory server gone")));
    const refused = await stand.browser().login("ada", "x", { way: "refuses" });
    assert.equal(refused.statusCode, 403);
    assert.match(refused.body, /Your account has expired/);
    await stand.close();
  });

  test("an answer that the hub does not take is no fault of the others: the log says whose it was, and what of it", async (t) => {
    const answers: Record<string, [answer: object, field: RegExp]> = {
      nameless: [{ name: "" }, /`name` must not have fewer than 1 /],
      long: [{ name: "l".repeat(5000) }, /`name` must not have more than 1024 /],
      numbered: [{ subject: 7 }, /`subject` must be string/],
      full: [
        { authState: { more: "x".repeat(300_000) } },
        /`authState` must not have more than 262144 bytes/,
      ],
    };
    const stand = await Stand.open({
      authenticators: Object.entries(answers).map(([name, [answer]]) =>
        book({ name, ask: async () => ({ issuer: "x:", subject: "x", name: "x", ...answer }) }),
      ),
    });
    t.after(() => stand.close());
    for (const [way, [, field]] of Object.entries(answers)) {
      const answer = await stand.browser().login("ada", "x", { way });
      assert.equal(answer.statusCode, 502, way);
      assert.match(answer.body, /This login brought something that the hub cannot take/);
      assert.doesNotMatch(answer.body, /Nobody can be logged in/);
      const line = stand.lines.find((each) => each.includes(`"authenticator":"${way}"`)) ?? "";
      assert.match(line, /LOGIN_ANSWER_INVALID/);
      assert.ok(line.includes(`authenticator \`${way}\``), line);
      assert.match(line, field);
      assert.ok(line.length < 2000, "nothing of the answer itself is in it");
    }
  });

  test("a provider that is away is named on the page, the others still work", async () => {
    const stand = await Stand.open({ authenticators: [provider({ away: true }), book()] });
    const page = await stand.browser().get("/hub/login");
    assert.match(page.body, /the Provider does not answer/);
    await stand.loggedIn("ada");
    await stand.close();
  });

  test("a call that goes on after its deadline keeps its place until it ends", async () => {
    const waiting: (() => void)[] = [];
    const deaf = book({
      ask: ({ username }) =>
        username === "deaf"
          ? new Promise((resolve) => waiting.push(() => resolve(undefined)))
          : Promise.resolve(undefined),
    });
    const stand = await Stand.open({
      config: { concurrentLogins: 1, loginSeconds: 1 },
      authenticators: [deaf],
    });
    assert.match((await stand.browser().login("deaf", "x")).body, /does not answer|not available|try again/i);
    assert.match((await stand.browser().login("next", "x")).body, /Too many people/);
    for (const end of waiting) end();
    await until("the place is free", async () => {
      const { statusCode } = await stand.browser().login("next", "x");
      return statusCode === 403 || undefined;
    });
    await stand.close();
  });

  test("only so many are asked at a time", async () => {
    const waiting: (() => void)[] = [];
    const slow = book({ ask: () => new Promise((resolve) => waiting.push(() => resolve(undefined))) });
    const stand = await Stand.open({ config: { concurrentLogins: 2 }, authenticators: [slow] });
    const first = [stand.browser().login("a1", "x"), stand.browser().login("a2", "x")];
    await until("both are asked", () => waiting.length === 2 || undefined);
    const third = await stand.browser().login("a3", "x");
    assert.equal(third.statusCode, 503);
    assert.match(third.body, /Too many people/);
    assert.ok(third.headers["retry-after"]);
    for (const release of waiting) release();
    assert.deepEqual(
      (await Promise.all(first)).map(({ statusCode }) => statusCode),
      [403, 403],
    );
    await stand.close();
  });
});
