import { processes, sessions, wordsOf } from "./processes.ts";
import { endAll, ownerGone, removeAccount, removeTree, uidOf } from "./sweep.ts";

// Takes down an ssh bed: `node ssh-sweep.ts FOLDER ACCOUNT…`. Knows its sshd by the bed's folder on their command lines,
// and everything else by the uids of accounts that were made for this bed.

const [folder = "", ...accounts] = process.argv.slice(2);

const listeners = (): number[] =>
  processes()
    .filter(({ name, pid }) => name === "sshd" && wordsOf(pid, "cmdline").join(" ").includes(`${folder}/`))
    .map(({ pid }) => pid);

await ownerGone();
await endAll(() => listeners().flatMap((pid) => [pid, ...sessions(pid)]));
for (const account of accounts) {
  const uid = uidOf(account);
  await endAll(() =>
    processes()
      .filter((each) => each.uid === uid)
      .map(({ pid }) => pid),
  );
  removeAccount(account, `/home/${account}-away`);
}
removeTree(folder);
