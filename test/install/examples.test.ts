import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { dockerMissing, startDocker } from "@elara/beds/docker";
import { startGithub } from "@elara/beds/providers/github";
import { startGlobus } from "@elara/beds/providers/globus";
import { slurmMissing, startSlurm } from "@elara/beds/slurm";
import { sshMissing, startSsh } from "@elara/beds/ssh";
import { unusedPort } from "@elara/beds/unused-port";
import { ownBusKeys } from "@elara/launcher/own-bus-keys";
import { serverConfiguration } from "@elara/runtime/bus/accounts/server-configuration";
import { jupyterBin } from "../fixtures/jupyter.ts";
import { mongoMissing, startMongo } from "../fixtures/mongo.ts";
import { natsMissing, startNats } from "../fixtures/nats.ts";

const EXAMPLES = fileURLToPath(new URL("../../deploy/examples/", import.meta.url));
const ELARA = fileURLToPath(new URL("../../services/launcher/bin/elara.js", import.meta.url));

interface Ran {
  readonly code: number | null;
  readonly text: string;
}

/** Side by side with the stand-ins, which live in this process. */
const elara = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<Ran> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [ELARA, ...args], { env: { ...process.env, ...env } });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    child.once("close", (code) => done({ code, text }));
  });

/** The example in an `/etc/elara` of its own, with what an administrator would change; each must be there to change. */
async function etcOf(
  t: TestContext,
  name: string,
  changes: Readonly<Record<string, string>>,
): Promise<string> {
  const etc = mkdtempSync(join(tmpdir(), "elara-etc-"));
  t.after(() => rmSync(etc, { recursive: true, force: true }));
  cpSync(join(EXAMPLES, name), etc, { recursive: true });
  mkdirSync(join(etc, "data"), { mode: 0o711 });
  const file = join(etc, "elara.config.ts");
  let text = readFileSync(file, "utf8");
  const own = { '"/var/lib/elara"': JSON.stringify(join(etc, "data")), "/etc/elara/ssh": join(etc, "ssh") };
  const ports = {
    "port: 443": `port: ${await unusedPort()}`,
    "redirectPort: 80": `redirectPort: ${await unusedPort()}`,
  };
  for (const [from, to] of Object.entries({ ...ports, ...changes })) {
    assert.ok(text.includes(from), `${name}: ${from}`);
    text = text.replaceAll(from, to);
  }
  for (const [from, to] of Object.entries(own)) text = text.replaceAll(from, to);
  writeFileSync(file, text);
  const made = await elara(
    {},
    "cert",
    "--self-signed",
    "--host",
    "hub.example.org",
    "--out",
    join(etc, "tls"),
  );
  assert.equal(made.code, 0, made.text);
  return etc;
}

test("a teaching server: GitHub, containers, TLS; check finds nothing to say", {
  skip: dockerMissing(),
}, async (t) => {
  const bed = await startDocker();
  t.after(() => bed.close());
  const github = await startGithub();
  t.after(() => github.close());
  const etc = await etcOf(t, "teaching-server", {
    '"quay.io/jupyter/scipy-notebook:2026-10-01"': JSON.stringify(bed.image),
    '  "quay.io/jupyter/r-notebook:2026-10-01",\n': "",
    '"hubnet"': `${JSON.stringify(bed.network)}, engine: ${JSON.stringify(`unix://${bed.socketPath}`)}`,
    '"172.30.0.1"': `${JSON.stringify(bed.gateway)}, internalPort: ${await unusedPort()}`,
  });
  const env = {
    GITHUB_CLIENT_ID: github.clientId,
    GITHUB_CLIENT_SECRET: github.clientSecret,
    GITHUB_URL: github.url,
    PATH: `${await jupyterBin()}:${process.env.PATH ?? ""}`,
  };
  const { code, text } = await elara(env, "check", "--config", join(etc, "elara.config.ts"));
  assert.equal(code, 0, text);
  assert.match(text, /ok +authenticator github/);
  assert.match(text, /ok +spawner docker: /);
  assert.match(text, /ok +certificate: for hub\.example\.org/);
  assert.match(text, /ok +profiles: lab/);
});

const hpcMissing =
  slurmMissing() || sshMissing() || (await natsMissing()) || (await mongoMissing({ own: true })) || false;

describe("an HPC centre", { skip: hpcMissing }, () => {
  test("Globus, Slurm by sudo and by SSH, NATS and MongoDB; check finds nothing to say", async (t) => {
    const ssh = await startSsh();
    t.after(() => ssh.close());
    const slurm = await startSlurm();
    t.after(() => slurm.close());
    const globus = await startGlobus();
    t.after(() => globus.close());
    const mongo = await startMongo({ own: true });
    t.after(() => mongo.close());
    const [login = { host: "", port: 0 }] = ssh.hosts;
    const { authorize, token, userinfo, revoke, jwks, groups } = globus.endpoints;
    const addresses = {
      issuer: globus.issuer,
      authorizeUrl: authorize,
      tokenUrl: token,
      userdataUrl: userinfo,
      revocationUrl: revoke,
      jwksUrl: jwks,
      groupsUrl: groups,
    };
    const environment = { ...slurm.env, PATH: "/usr/local/bin:/usr/bin:/bin" };
    const changes = {
      '"00000000-0000-4000-8000-000000000000"': `${JSON.stringify(globus.clientId)}, ...${JSON.stringify(addresses)}`,
      'identityProvider: "example.edu"': 'identityProvider: "uni.example"',
      'host: "login.example.org",': `host: ${JSON.stringify(login.host)}, port: ${login.port},`,
      'account: "elara",': `account: ${JSON.stringify(ssh.accounts[0])},`,
      'key: "/etc/elara/ssh/user_ca"': `key: ${JSON.stringify(ssh.caKeyFile)}`,
      'knownHosts: "/etc/elara/ssh/known_hosts"': `knownHosts: ${JSON.stringify(ssh.knownHostsFile)}`,
      'partition: "main"': `partition: "main", environment: ${JSON.stringify(environment)}`,
      // The nodes of the bed are small.
      "memoryMiB: 4096": "memoryMiB: 1024",
      'uri: { env: "MONGODB_URI" }': `uri: { env: "MONGODB_URI" }, database: ${JSON.stringify(mongo.database)}`,
      'internalHost: "0.0.0.0"': `internalHost: "0.0.0.0", internalPort: ${await unusedPort()}`,
    };
    const etc = await etcOf(t, "hpc-centre", changes);
    const made = await elara({}, "init", "--keys", etc);
    assert.equal(made.code, 0, made.text);
    const nats = await startNats({ configuration: (place) => serverConfiguration(ownBusKeys(etc), place) });
    t.after(() => nats.close());
    const file = join(etc, "elara.config.ts");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace('"nats.example.org:4222"], tls: {}', `"${nats.address}"]`),
    );
    const env = {
      GLOBUS_CLIENT_SECRET: globus.clientSecret,
      MONGODB_URI: mongo.uri,
      PATH: `${await jupyterBin()}:${process.env.PATH ?? ""}`,
    };
    const { code, text } = await elara(env, "check", "--config", file);
    assert.equal(code, 0, text);
    for (const what of [
      "authenticator globus",
      "spawner slurm",
      "spawner slurm-ssh",
      "store: mongo answers",
      "bus: nats answers",
    ])
      assert.match(text, new RegExp(`ok +${what}`));
  });
});
