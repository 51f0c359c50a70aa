import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cloudType, type EventContract, entityOf, events } from "@elara/contracts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const list = execFileSync("git", ["ls-files", "services/*/src/*.ts", "services/*/src/**/*.ts"], {
  cwd: ROOT,
  encoding: "utf8",
});
const sources = new Map(
  [...new Set(list.trim().split("\n"))].map((file) => [file, readFileSync(join(ROOT, file), "utf8")]),
);

/** Writes that carry no event, and why none is missed: `file: beginning of the call`. */
const SILENT: Readonly<Record<string, string>> = {
  "services/auth/src/people/user-book.ts: users\n          .insert({ ...blank(old)":
    "a tombstone that reserves an old name: no user, and the rename is told",
};

/** The text of the call that begins here, to its closing parenthesis. */
function callAt(source: string, start: number): string {
  let depth = 0;
  for (let at = source.indexOf("(", start); at < source.length; at += 1) {
    if (source[at] === "(") depth += 1;
    if (source[at] === ")") depth -= 1;
    if (depth === 0) return source.slice(start, at + 1);
  }
  return source.slice(start);
}

const WRITES =
  /\b(?:users|tokens|sessions)\s*\.(?:insert|patch)\(|\bswap\(\s*(?:\w+\.)*(?:users|tokens|sessions)\b/g;

test("every write of users, sessions and tokens carries its event, or has a reason", () => {
  const silent = new Set<string>();
  let told = 0;
  for (const [file, source] of sources) {
    if (!file.startsWith("services/auth/")) continue;
    for (const { index } of source.matchAll(WRITES)) {
      const call = callAt(source, index);
      if (/\b(insertWithEvents|withEvents)\(/.test(call)) {
        told += 1;
        continue;
      }
      const reason = Object.keys(SILENT).find((key) => `${file}: ${call}`.startsWith(key));
      assert.ok(reason, `${file} changes something without an event:\n${call.slice(0, 300)}`);
      silent.add(reason);
    }
  }
  assert.ok(told >= 12, `only ${told} writes found: does the pattern still fit?`);
  assert.deepEqual([...silent], Object.keys(SILENT), "a reason for a write that is no longer there");
});

test("servers are written by the ledger alone, and each of its writes carries events", () => {
  const opens = [...sources].filter(([, source]) => /\.collection\(servers\)/.test(source));
  assert.deepEqual(
    opens.map(([file]) => file),
    ["services/spawn/src/ledger.ts"],
  );
  const [[, ledger = ""] = []] = opens;
  const writes = [...ledger.matchAll(/documents\.(?:insert|patch|delete)\(/g)];
  assert.equal(writes.length, 2);
  for (const { index } of writes) assert.match(callAt(ledger, index), /\b(insertWithEvents|withEvents)\(/);
  assert.match(ledger, /\.\.\.untold\(doc, \{ set, events \}, event\)/, "what the decider does not tell");
});

test("every fact is written somewhere, and tells of something with a scope of its own", () => {
  const all = [...sources.values()].join("\n");
  for (const [name, event] of Object.entries<EventContract>(events)) {
    if (event.kind !== "fact") continue;
    assert.match(all, new RegExp(`\\b${name}\\b`), `${event.type} is never told`);
    assert.ok(["server", "user", "session", "token"].includes(entityOf(cloudType(event))), event.type);
  }
});
