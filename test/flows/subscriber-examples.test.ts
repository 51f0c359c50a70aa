import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { shapeMissing, shapes, startHub, type TestHub } from "../fixtures/hub.ts";
import { clientPython } from "../fixtures/python-clients.ts";
import { until } from "../fixtures/until.ts";

const FOLDER = new URL("../../deploy/examples/subscribers/", import.meta.url);
const programs = {
  "follow.ts": { shapes: ["apart"], with: async () => process.execPath },
  "follow.py": { shapes: ["apart"], with: clientPython },
  "follow_http.py": { shapes: ["alone", "apart"], with: clientPython },
} as const;
const nameOf = (file: string): string => file.replace(/\W/g, "_");

for (const shape of shapes) {
  const here = Object.entries(programs).filter(([, { shapes: where }]) =>
    where.some((each) => each === shape),
  );
  describe(`examples of subscribers (${shape})`, { skip: await shapeMissing(shape) }, () => {
    let hub: TestHub;
    before(async () => {
      hub = await startHub({ shape });
    });
    after(() => hub?.close());

    const followers: { child: ChildProcess; revoke: () => Promise<Response>; complaints: () => string }[] =
      [];
    after(async () => {
      for (const { child } of followers) await ended(child);
    });

    for (const [file, program] of here)
      test(`${file} tells what is kept and what comes, also after a restart`, {
        timeout: 300_000,
      }, async () => {
        const [early, late, later] = ["early", "late", "later"].map((when) => `${when}-${nameOf(file)}`);
        assert.ok(early && late && later);
        await hub.token(early);
        const admin = await hub.token("root-admin");
        const own = "/users/root-admin/tokens";
        const made = await hub.api(admin, own, {
          method: "POST",
          body: JSON.stringify({ note: file, scopes: ["read:events:users"] }),
        });
        const { token, id: tokenId } = (await made.json()) as { token: string; id: string };
        const child = spawn(await program.with(), [fileURLToPath(new URL(file, FOLDER))], {
          stdio: ["ignore", "pipe", "pipe"],
          env: {
            PATH: process.env.PATH,
            ELARA_TOKEN: token,
            ELARA_URL: hub.url,
            ELARA_NATS: hub.nats?.address,
            ELARA_FROM: "all",
            ELARA_AFTER: "0",
          },
        });
        const revoke = () => hub.api(admin, `${own}/${tokenId}`, { method: "DELETE" });
        followers.push({ child, revoke, complaints: () => complaints });
        let lines = "";
        let complaints = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          lines += text;
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          complaints += text;
        });
        const tells = async (name: string): Promise<void> => {
          const { id } = await idOf(name);
          await until(
            `${file} to tell of ${name}${complaints}`,
            () => lines.includes(`org.elara.user.created.v1 users/${id} 1\n`),
            40_000,
          );
        };
        const idOf = async (name: string): Promise<{ id: string }> => {
          const answer = await hub.api(admin, `/events?type=user.created&user=${name}&after=0&wait=0`, {
            headers: { accept: "application/x-ndjson" },
          });
          const [line = ""] = (await answer.text()).trim().split("\n");
          return { id: JSON.parse(line).data.userId };
        };
        await tells(early);
        await hub.token(late);
        await tells(late);
        assert.equal(complaints, "");
        await hub.restart();
        await hub.token(later);
        await tells(later);
        assert.equal(child.exitCode, null, "goes on");
        assert.ok(
          lines
            .trim()
            .split("\n")
            .every((line) => line.startsWith("org.elara.user.")),
          `only what its scopes allow:\n${lines}`,
        );
        complaints = "";
      });

    test("each gives up with a sentence when its token is revoked", { timeout: 300_000 }, async () => {
      assert.equal(followers.length, here.length);
      for (const { revoke } of followers) assert.equal((await revoke()).status, 204);
      for (const { child, complaints } of followers) {
        await until(`it to give up ${complaints()}`, () => child.exitCode !== null, 150_000);
        assert.equal(child.exitCode, 1);
        assert.match(complaints().trim().split("\n").at(-1) ?? "", /^The hub refuses this token/);
      }
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((done) => child.once("close", done));
  child.kill("SIGKILL");
  await closed;
}
