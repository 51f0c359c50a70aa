import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { authenticatorConformance } from "@elara/sdk/testing";
import pam from "../src/index.ts";
import { finish } from "./login.ts";
import { noAccounts, pamService, systemAccount } from "./system-account.ts";

const UNIX = ["auth required pam_unix.so", "account required pam_unix.so"];
const removals: (() => void)[] = [];
const kept = <T extends { remove(): void }>(thing: T): T => {
  removals.push(() => thing.remove());
  return thing;
};
after(() => {
  for (const remove of removals.reverse()) remove();
});

const service = noAccounts ? "login" : kept(pamService(UNIX)).name;
const ada = noAccounts ? { name: "ada", password: "unused-here" } : kept(systemAccount());

authenticatorConformance(pam, {
  options: { service },
  good: { username: ada.name, password: ada.password },
  bad: { username: ada.name, password: "not the password" },
  ...(noAccounts ? { skip: noAccounts } : {}),
});

describe("system accounts", { skip: noAccounts ?? false, concurrency: true }, () => {
  test("a person is known by the name PAM gives back", async () => {
    const user = await finish({ service }, { username: ada.name, password: ada.password });
    assert.deepEqual(user, { issuer: "pam:local", subject: ada.name, name: ada.name });
  });

  test("unknown name and wrong password get one answer after about the same time", async () => {
    const timed = async (username: string) => {
      const start = performance.now();
      const answer = await finish({ service }, { username, password: "not the password" });
      return { answer, ms: performance.now() - start };
    };
    const wrong = await timed(ada.name);
    const unknown = await timed("elara-nobody-here");
    assert.equal(wrong.answer, undefined);
    assert.equal(unknown.answer, undefined);
    // PAM's own delay is 2 s, give or take half; without it either answer comes in well under 0.5 s.
    assert.ok(wrong.ms > 800 && unknown.ms > 800, `${wrong.ms} ms and ${unknown.ms} ms`);
  });

  test("a locked account is refused like a wrong password", async () => {
    const locked = kept(systemAccount((name) => [["usermod", "--lock", name]]));
    assert.equal(await finish({ service }, { username: locked.name, password: locked.password }), undefined);
  });

  test("an expired account is told so after the right password, and only then", async () => {
    const expired = kept(systemAccount((name) => [["chage", "--expiredate", "1", name]]));
    await assert.rejects(finish({ service }, { username: expired.name, password: expired.password }), {
      code: "PAM_ACCOUNT_EXPIRED",
      status: 403,
    });
    assert.equal(await finish({ service }, { username: expired.name, password: "wrong" }), undefined);
  });

  test("a password that must be changed is told so", async () => {
    const old = kept(systemAccount((name) => [["chage", "--lastday", "0", name]]));
    await assert.rejects(finish({ service }, { username: old.name, password: old.password }), {
      code: "PAM_PASSWORD_EXPIRED",
      status: 403,
    });
  });

  test("an account the stack refuses is told so after the right password", async () => {
    const closed = kept(pamService([UNIX[0] ?? "", "account required pam_deny.so"]));
    await assert.rejects(finish({ service: closed.name }, { username: ada.name, password: ada.password }), {
      code: "PAM_ACCOUNT_REFUSED",
    });
  });

  test("a second hidden prompt gets the one-time password", async () => {
    // pam_ftp stands for a second factor: it has a hidden prompt of its own.
    const twice = kept(
      pamService([UNIX[0] ?? "", `auth required pam_ftp.so ignore users=${ada.name}`, UNIX[1] ?? ""]),
    );
    const input = { username: ada.name, password: ada.password };
    const both = await finish({ service: twice.name, otp: true }, { ...input, otp: "123456" });
    assert.equal(both?.subject, ada.name);
    assert.equal(await finish({ service: twice.name, otp: true }, input), undefined, "an empty code");
    assert.equal(
      await finish({ service: twice.name }, input),
      undefined,
      "more prompts than the form has fields",
    );
  });

  test("a name that PAM changes is taken as PAM has it", async () => {
    const mapped = kept(
      pamService([`auth required pam_ftp.so ignore users=${ada.name},guest`, UNIX[1] ?? ""]),
    );
    const user = await finish({ service: mapped.name }, { username: "guest", password: "x" });
    assert.deepEqual(user, { issuer: "pam:local", subject: ada.name, name: ada.name });
  });

  test("ten at once with two helpers all get in", async () => {
    const one = { username: ada.name, password: ada.password };
    const setup = { service, concurrent: 2 };
    const names = await Promise.all(Array.from({ length: 10 }, async () => (await finish(setup, one))?.name));
    assert.deepEqual(new Set(names), new Set([ada.name]));
  });
});
