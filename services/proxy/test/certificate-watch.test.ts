import assert from "node:assert/strict";
import { renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { suite, type TestContext, test } from "node:test";
import { pino } from "pino";
import { readCertificate } from "../src/certificate.ts";
import { watchCertificate } from "../src/certificate-watch.ts";
import { pairFiles, pairFor } from "./fixture/certificate.ts";

const DAY_MS = 86_400_000;
const inAMinute = () => Date.now() + 60_000;

suite("the watch over a certificate", () => {
  const put = (file: string, text: string): void => {
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  const stand = (
    t: TestContext,
    between: (files: { certificate: string; key: string }) => void = () => {},
  ) => {
    const files = pairFiles(t);
    const lines: { msg: string }[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const time = { now: inAMinute() };
    const taken: string[] = [];
    const inUse = readCertificate(files, { now: time.now, publicUrl: "" });
    between(files);
    const watch = watchCertificate({
      files,
      inUse,
      server: { setSecureContext: ({ cert }) => void taken.push(String(cert)) },
      publicUrl: "",
      clock: { now: () => time.now, monotonic: () => 0 },
      log,
      everyMs: DAY_MS,
    });
    t.after(() => watch.close());
    const told = (words: string) => lines.filter(({ msg }) => msg.startsWith(words)).length;
    return { files, time, taken, watch, told };
  };

  test("outlives files that cannot be looked at, says so once, and takes them up when they are back", (t) => {
    const { files, watch, taken, told } = stand(t);
    unlinkSync(files.certificate);
    symlinkSync(files.certificate, files.certificate);
    watch.look();
    watch.look();
    assert.equal(told("new certificate refused"), 1);
    const next = pairFor(["next.example.org"]);
    put(files.certificate, next.certificate);
    put(files.key, next.key);
    watch.look();
    assert.deepEqual(taken, [next.certificate]);
  });

  test("takes up a pair that came between the start's reading and the watch's; the same one it leaves", (t) => {
    const next = pairFor(["next.example.org"]);
    const { watch, taken } = stand(t, (files) => {
      put(files.certificate, next.certificate);
      put(files.key, next.key);
    });
    watch.look();
    watch.look();
    assert.deepEqual(taken, [next.certificate]);
    const untouched = stand(t);
    untouched.watch.look();
    assert.deepEqual(untouched.taken, []);
  });

  test("takes up a pair that came too early as soon as it holds", (t) => {
    const { files, time, watch, taken, told } = stand(t);
    const next = pairFor(["next.example.org"]);
    time.now -= DAY_MS;
    put(files.certificate, next.certificate);
    put(files.key, next.key);
    watch.look();
    watch.look();
    assert.deepEqual([taken, told("new certificate refused")], [[], 1]);
    time.now += DAY_MS;
    watch.look();
    assert.deepEqual(taken, [next.certificate]);
  });
});
