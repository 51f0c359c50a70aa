import { spawn } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

/**
 * A stand-in for jupyterhub-singleuser in tests. Answers HTTP where JUPYTERHUB_SERVICE_URL says, with what it knows of
 * itself; secrets and values it was given only as digests. `--exit N`: says a word and exits. `--stubborn`: ignores INT
 * and TERM. `--print N`: prints N numbered lines first. `--silent`: never listens. `--litter`: leaves a process in a
 * session of its own.
 */
const args = process.argv.slice(2);
const numberAfter = (flag: string): number => Number(args[args.indexOf(flag) + 1]);
const id = randomUUID();
const { JUPYTERHUB_SERVICE_URL = "", JUPYTERHUB_API_TOKEN = "" } = process.env;
const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

process.stderr.write("stand-in was started\n");
if (args.includes("--print")) {
  for (let line = 1; line <= numberAfter("--print"); line += 1)
    process.stdout.write(`line ${line} ${"x".repeat(80)}\n`);
}
if (args.includes("--exit")) {
  // Words go to stderr as those of Jupyter do, and to it alone: nobody promises the order of two streams.
  process.stderr.write("stand-in gives up\n");
  process.exit(numberAfter("--exit"));
}

if (args.includes("--litter")) {
  const stray = [fileURLToPath(import.meta.url), "--silent"];
  spawn(process.execPath, stray, { detached: true, stdio: "ignore" }).unref();
}

// Nobody wants it longer, whatever became of the test.
setTimeout(() => process.exit(0), 300_000);
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (!args.includes("--stubborn")) process.exit(0);
  });

if (!args.includes("--silent")) {
  const { hostname, port, pathname } = new URL(JUPYTERHUB_SERVICE_URL);
  createServer((request, response) => {
    const known = (request.url ?? "").startsWith(pathname);
    response.writeHead(known ? 200 : 404, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        id,
        pid: process.pid,
        tokenDigest: digestOf(JUPYTERHUB_API_TOKEN),
        envDigests: Object.fromEntries(
          Object.entries(process.env)
            .filter(([name]) => name.startsWith("ELARA_VALUE_"))
            .map(([name, value = ""]) => [name, digestOf(value)]),
        ),
        cwd: process.cwd(),
        uid: process.getuid?.(),
        gid: process.getgid?.(),
        groups: process.getgroups?.(),
        home: process.env.HOME ?? "",
        user: process.env.USER ?? "",
        args,
      }),
    );
  }).listen(Number(port), hostname.replace(/^\[|\]$/g, ""));
}
