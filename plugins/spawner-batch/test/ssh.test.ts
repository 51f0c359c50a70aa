import { writeFileSync } from "node:fs";
import { after } from "node:test";
import { slurmMissing, startSlurm } from "@elara/beds/slurm";
import { sshMissing, startSsh } from "@elara/beds/ssh";
import { spawnerConformance } from "@elara/sdk/testing";
import plugin from "../src/index.ts";

const missing = slurmMissing() || sshMissing();
if (missing) spawnerConformance(plugin, { skip: missing });
else {
  const [slurm, ssh] = [await startSlurm(), await startSsh()];
  after(async () => {
    await slurm.close();
    await ssh.close();
  });
  const [login] = ssh.hosts;
  const [user = "", account = ""] = ssh.accounts;
  // Start-up files of accounts print, as they do at centres.
  for (const name of [user, account])
    writeFileSync(`/home/${name}/.bashrc`, "printf 'Welcome!\\nmodules loaded: '; echo news >&2\n");
  // The login node is another machine to the plugin: nothing is done but over ssh.
  spawnerConformance(plugin, {
    away: { options: { environment: { PATH: "/nonexistent" } } },
    options: {
      transport: "ssh",
      user,
      login: { ...login, account, ssh: { knownHosts: ssh.knownHostsFile, privateKey: ssh.privateKeyFile } },
      environment: { ...slurm.env },
    },
  });
}
