import { dockerMissing } from "@elara/beds/docker";
import { aloneGround, apartGround, selfSigned } from "../../fixtures/install/ground.ts";
import { composed, composeMissing, imageTrial } from "../../fixtures/install/image.ts";
import { hubOf, type Installed, install } from "../../fixtures/install/installed.ts";
import { loginPage, type Running, start } from "../../fixtures/install/running.ts";
import { startServer } from "../../fixtures/install/servers.ts";
import { systemdLines } from "../../fixtures/install/start-lines.ts";
import { supervise, supervisorMissing, supervisorVersion } from "../../fixtures/install/supervisor.ts";
import { endServersOf } from "../../fixtures/processes.ts";
import { told } from "../../fixtures/trials/outcome.ts";
import type { Cell, Part } from "./cell.ts";

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`;

/** An administrator's day: archive, first start, upgrade, every start line, image, HTTPS; each with its time. */
const installPart: Part = async (say) => {
  const cells: Cell[] = [];
  const step = async (row: string, column: string, work: () => Promise<string>): Promise<void> => {
    const began = performance.now();
    try {
      const evidence = await work();
      cells.push({ row, column, ok: true, evidence });
    } catch (error) {
      cells.push({ row, column, ok: false, evidence: told(error) });
    }
    say(`  ${row}, ${column}: ${seconds(performance.now() - began)}`);
  };
  let installed: Installed | undefined;
  try {
    const here = await install();
    installed = here;
    const { archive, took } = here;
    cells.push(
      {
        row: "archive",
        column: "made",
        ok: true,
        evidence: `${seconds(took.package)}, ${megabytes(archive.bytes)}`,
      },
      { row: "archive", column: "checked and unpacked", ok: true, evidence: seconds(took.unpack) },
    );
    await step("first start", "log-in page", () => firstStart(here));
    await step("upgrade beside", "and back, a server goes on", () => upgrade(here));
    for (const shape of ["alone", "apart"] as const) {
      await step(`systemd, ${shape}`, "every ExecStart", () => systemd(here, shape));
      await step(`supervisor, ${shape}`, "every command", () => supervisor(here, shape));
    }
    await step("elara cert", "HTTPS", () => secure(here));
    await step("compose file", "accepted", async () => {
      const missing = composeMissing();
      if (missing) throw new Error(missing);
      return Object.keys(composed(here).services).join(", ");
    });
    await step("image", "built without pulling, started", async () => {
      const missing = dockerMissing();
      if (missing) throw new Error(missing);
      const { buildMs, startMs, bytes, title, account } = await imageTrial(here);
      return `built ${seconds(buildMs)}, ${megabytes(bytes)}; "${title}" ${seconds(startMs)} later, as uid ${account}`;
    });
  } finally {
    if (installed) {
      endServersOf(`http://127.0.0.1:${installed.ports.internal}`);
      installed.close();
    }
  }
  return cells;
};

const lineOf = (installed: Installed): string =>
  installed.here(systemdLines(installed.opt).find(({ shape }) => shape === "alone")?.line ?? "");

async function firstStart(installed: Installed): Promise<string> {
  const ground = await aloneGround(installed);
  const began = performance.now();
  const running = await start(installed, lineOf(installed));
  try {
    const title = await loginPage(ground.url);
    return `"${title}" after ${seconds(performance.now() - began)}, no Node and no npm on PATH, as nobody`;
  } finally {
    await running.stop();
  }
}

async function upgrade(installed: Installed): Promise<string> {
  const ground = await aloneGround(installed);
  let running = await start(installed, lineOf(installed));
  try {
    const token = installed.run("token", "ada", "--data", installed.data).trim();
    const server = await startServer(ground.url, token, "ada");
    const first = installed.archive.folder.replace("elara-", "");
    installed.unpackAs("9.9.9");
    const away: number[] = [];
    for (const next of ["9.9.9", first]) {
      const began = performance.now();
      await running.stop();
      installed.use(next);
      running = await start(installed, lineOf(installed));
      await loginPage(ground.url);
      away.push(performance.now() - began);
      if ((await server.pid()) !== server.pidAtStart || (await server.answers()) !== 200)
        throw new Error(`the server of before is not served by ${next}`);
    }
    return `away ${away.map(seconds).join(" and ")}; pid ${server.pidAtStart} served all along`;
  } finally {
    await running.stop();
  }
}

const grounds = { alone: aloneGround, apart: apartGround };

async function systemd(installed: Installed, shape: "alone" | "apart"): Promise<string> {
  const ground = await grounds[shape](installed);
  const running: Running[] = [];
  try {
    for (const { line } of systemdLines(installed.opt).filter((each) => each.shape === shape))
      running.push(await start(installed, installed.here(line)));
    const title = await loginPage(ground.url, ground.ask);
    return `${running.length} started (${running.map(({ readyMs }) => seconds(readyMs)).join(", ")}), "${title}" at ${ground.url.split(":")[0]}`;
  } finally {
    for (const each of running) await each.stop();
    await ground.close();
  }
}

async function supervisor(installed: Installed, shape: "alone" | "apart"): Promise<string> {
  const missing = supervisorMissing();
  if (missing) throw new Error(missing);
  const ground = await grounds[shape](installed);
  try {
    const supervised = await supervise(installed, shape === "alone" ? "elara.conf" : "elara-services.conf");
    try {
      const title = await loginPage(ground.url, ground.ask);
      const names = Object.keys(supervised.status());
      return `supervisord ${supervisorVersion()}: ${names.length} RUNNING after ${seconds(supervised.readyMs)}, "${title}"`;
    } finally {
      await supervised.close();
    }
  } finally {
    await ground.close();
  }
}

async function secure(installed: Installed): Promise<string> {
  const began = performance.now();
  const { files, ask } = selfSigned(installed);
  const made = performance.now() - began;
  installed.configure(hubOf(installed, { network: { tls: files } }));
  const running = await start(installed, lineOf(installed));
  try {
    const title = await loginPage(`https://localhost:${installed.ports.public}`, ask);
    return `certificate ${seconds(made)}; "${title}" over TLS, trusted by its certificate alone`;
  } finally {
    await running.stop();
  }
}

export { installPart as install };
