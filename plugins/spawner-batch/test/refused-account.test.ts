import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Ssh, SshError } from "@elara/ssh";
import { Value } from "typebox/value";
import { asking } from "../src/ask.ts";
import { openDesk } from "../src/desk.ts";
import { options as schema } from "../src/options.ts";
import { slurm } from "../src/schedulers/slurm.ts";
import { sshTransport } from "../src/transports/ssh.ts";

const closed: Ssh = {
  run: async () => {
    throw new SshError("login", "login:22 did not accept the key");
  },
  connect: async () => {},
  forward: () => assert.fail("nothing is forwarded"),
  close: async () => {},
};

describe("a login node that lets an account not in", () => {
  const transport = sshTransport(closed, { host: "login", port: 22, account: "hub", environment: {} });
  test("is told to that user, not as a batch system that is away", async () => {
    const desk = openDesk(Value.Parse(schema, Value.Default(schema, { transport: "ssh" })), transport);
    const told = { code: "BATCH_ACCOUNT_MISSING", status: 403, detail: "login:22 did not accept the key" };
    const message = /the account "ada" of the batch system/;
    await assert.rejects(desk("ada", { action: "records", tags: [] }), { ...told, message });
  });
  test("cannot be asked when it is the hub's own", () =>
    assert.rejects(asking(slurm, transport)(["squeue"], String), { code: "BATCH_UNREACHABLE" }));
});
