import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { knownKeys } from "../src/known-hosts.ts";
import { throwAwayKey } from "../src/throw-away-key.ts";

const newKey = (): { line: string; blob: Buffer } => {
  const line = throwAwayKey().public;
  return { line, blob: Buffer.from(line.split(" ")[1] ?? "", "base64") };
};
const [good, other] = [newKey(), newKey()];

async function fileOf(t: TestContext, ...lines: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "elara-known-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "known_hosts"), lines.join("\n"));
  return join(folder, "known_hosts");
}

const hashed = (name: string): string => {
  const salt = randomBytes(20);
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
};

test("every form of a line that names the host lets its key pass, and no other key", async (t) => {
  const forms: [names: string, host: string, port: number][] = [
    ["login.example.org", "login.example.org", 22],
    ["login.example.org", "LOGIN.example.org", 22],
    ["other,login.example.org", "login.example.org", 22],
    ["[login.example.org]:2222", "login.example.org", 2222],
    ["login.example.org", "login.example.org", 2222],
    ["*.example.org", "login.example.org", 22],
    ["login?.example.org", "login1.example.org", 22],
    ["[*.example.org]:2222", "login.example.org", 2222],
    ["::1", "::1", 22],
    ["[::1]:2222", "::1", 2222],
    [hashed("login.example.org"), "login.example.org", 22],
    [hashed("[login.example.org]:2222"), "login.example.org", 2222],
  ];
  for (const [names, host, port] of forms) {
    const file = await fileOf(t, "# a comment", "", `${names} ${good.line}`);
    const known = await knownKeys([file], host, port);
    assert.equal(known.fault(good.blob), undefined, `${names} for ${host}:${port}`);
    assert.deepEqual(known.types, ["ssh-ed25519"]);
    assert.match(known.fault(other.blob) ?? "", /known_hosts, line 3: another machine/, names);
  }
});

test("lines that do not name the host vouch for nothing", async (t) => {
  const forms: [names: string, host: string, port: number][] = [
    ["login.example.org", "example.org", 22],
    ["loginXexample.org", "login.example.org", 22],
    ["login.example.org.evil", "login.example.org", 22],
    ["[login.example.org]:2222", "login.example.org", 22],
    ["*.example.org,!login.example.org", "login.example.org", 22],
    [`@cert-authority *`, "login.example.org", 22],
    ["#login.example.org", "login.example.org", 22],
    [hashed("elsewhere"), "login.example.org", 22],
  ];
  for (const [names, host, port] of forms) {
    const file = await fileOf(t, `${names} ${good.line}`);
    const fault = (await knownKeys([file], host, port)).fault(good.blob);
    assert.ok(
      fault?.includes(`is not known. If it is the right one, add to ${file}: `),
      `${names}: ${fault}`,
    );
    const name = port === 22 ? host : `[${host}]:${port}`;
    assert.ok(fault?.endsWith(`${name} ${good.line.trim()}`), fault);
  }
});

test("a port's own lines count before those of the host", async (t) => {
  const file = await fileOf(t, `a.org ${good.line}`, `[a.org]:2222 ${other.line}`);
  const known = await knownKeys([file], "a.org", 2222);
  assert.equal(known.fault(other.blob), undefined);
  assert.match(known.fault(good.blob) ?? "", /line 2/);
});

test("a revoked key is refused, also when another line knows it", async (t) => {
  const file = await fileOf(t, `a.org ${good.line}`, `@revoked * ${good.line}`);
  assert.match((await knownKeys([file], "a.org", 22)).fault(good.blob) ?? "", /revoked: .*line 2/);
});

test("a revoked line is no line of the port's own: those of the host count on, and its own of both", async (t) => {
  const file = await fileOf(t, `a.org ${good.line}`, `@revoked * ${other.line}`);
  const known = await knownKeys([file], "a.org", 2222);
  assert.equal(known.fault(good.blob), undefined);
  assert.match(known.fault(other.blob) ?? "", /revoked: .*line 2/);
  const plain = await fileOf(t, `[a.org]:2222 ${good.line}`, `@revoked a.org ${good.line}`);
  assert.match((await knownKeys([plain], "a.org", 2222)).fault(good.blob) ?? "", /revoked: .*line 2/);
});

test("a file that is not there knows nobody; several are read", async (t) => {
  const file = await fileOf(t, `a.org ${good.line}`);
  assert.equal((await knownKeys(["/nonexistent", file], "a.org", 22)).fault(good.blob), undefined);
  assert.match(
    (await knownKeys(["/nonexistent"], "a.org", 22)).fault(good.blob) ?? "",
    /add to \/nonexistent/,
  );
});
