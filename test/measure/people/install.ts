import { dockerMissing } from "@elara/beds/docker";
import { noBrowser } from "../../fixtures/browser.ts";
import { composed, composeMissing, imageTrial } from "../../fixtures/install/image.ts";
import { type Installed, install } from "../../fixtures/install/installed.ts";
import { supervisorMissing, supervisorVersion } from "../../fixtures/install/supervisor.ts";
import { endServersOf } from "../../fixtures/processes.ts";
import {
  bySupervisor,
  byUnits,
  clusterOverHttps,
  inBrowser,
  secure,
  upgrade,
} from "../../fixtures/trials/install.ts";
import { told } from "../../fixtures/trials/outcome.ts";
import type { Cell, Part } from "./cell.ts";

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`;
const needs = (missing: string | false | undefined): void => {
  if (missing) throw new Error(missing);
};

/** An administrator's day: archive, upgrade, every start line, HTTPS, image; each with its time. */
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
    await step("upgrade beside", "and back, a server goes on", async () => {
      const { awayMs, pid } = await upgrade(here);
      return `away ${awayMs.map(seconds).join(" and ")}; pid ${pid} served all along`;
    });
    for (const shape of ["alone", "apart"] as const) {
      await step(`systemd, ${shape}`, "every ExecStart", async () => {
        const { url, readyMs } = await byUnits(here, shape);
        return `log-in page over ${new URL(url).protocol} after ${readyMs.map(seconds).join(" + ")}, as nobody, no Node on PATH`;
      });
      await step(`supervisor, ${shape}`, "every command", async () => {
        needs(supervisorMissing());
        const { programs, readyMs } = await bySupervisor(here, shape);
        return `supervisord ${supervisorVersion()}: ${programs} RUNNING after ${seconds(readyMs)}, log-in page`;
      });
    }
    await step("elara cluster", "HTTPS", async () => {
      const { readyMs } = await clusterOverHttps(here);
      return `ready after ${seconds(readyMs)}`;
    });
    await step(
      "elara cert",
      "HTTPS",
      async () => `"${await secure(here)}", trusted by its certificate alone`,
    );
    await step("elara cert", "in Chromium", async () => {
      needs(noBrowser());
      const { tookMs, sockets } = await inBrowser(here);
      return `log-in to a cell's output ${seconds(tookMs)}, ${sockets} kernel socket over wss:`;
    });
    await step("compose file", "accepted", async () => {
      needs(composeMissing());
      return Object.keys(composed(here).services).join(", ");
    });
    await step("image", "built without pulling, started", async () => {
      needs(dockerMissing());
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

export { installPart as install };
