import { processes, wordsOf } from "./processes.ts";
import { endAll, ownerGone, removeAccount, removeTree, uidOf } from "./sweep.ts";

// Takes down a Slurm: `node slurm-sweep.ts FOLDER ACCOUNT…`. Knows daemons and jobs by the folder of their configuration
// in their environment, and everything else by the uids of accounts that were made for it.

const [folder = "", ...accounts] = process.argv.slice(2);
const DAEMONS = new Set(["slurmctld", "slurmd", "slurmstepd", "munged"]);

/** A daemon of this Slurm, or a process of one of its jobs, whoever runs it. */
function isOurs(pid: number, name: string): boolean {
  const environment = wordsOf(pid, "environ");
  return (
    environment.includes(`SLURM_CONF=${folder}/etc/slurm.conf`) &&
    (DAEMONS.has(name) || environment.some((entry) => entry.startsWith("SLURM_JOB_ID=")))
  );
}

await ownerGone();
const uids = new Set(accounts.map(uidOf));
// Daemons and jobs together: a daemon that is left would start the next job.
await endAll(() =>
  processes()
    .filter(({ pid, name, uid }) => isOurs(pid, name) || uids.has(uid))
    .map(({ pid }) => pid),
);
for (const account of accounts) removeAccount(account);
removeTree(folder);
