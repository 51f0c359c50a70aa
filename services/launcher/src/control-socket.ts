import { readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { codeOf, HubError } from "@elara/contracts";

/** What the running hub answered. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Asks the hub that runs on this data directory: the first control socket that answers. Throws HUB_NOT_RUNNING. */
export async function askHub(dataDir: string, path: string, body: object): Promise<ControlAnswer> {
  const folder = join(dataDir, "control");
  let sockets: string[] = [];
  let isForbidden = false;
  try {
    sockets = readdirSync(folder).filter((entry) => entry.endsWith(".sock"));
  } catch (error) {
    // No folder: no hub has run here.
    if (codeOf(error) === "EACCES") isForbidden = true;
  }
  for (const socket of sockets) {
    try {
      return await post(join(folder, socket), path, body);
    } catch (error) {
      // A socket left behind by a killed process; the next one may live.
      if (codeOf(error) === "EACCES") isForbidden = true;
    }
  }
  throw new HubError("HUB_NOT_RUNNING", {
    operator: isForbidden
      ? `${folder} is closed to this account. Run the command as the account that runs the hub, or as root.`
      : `No hub answers in ${folder}. Start it, or say where its data is: --data DIR or --config FILE.`,
  });
}

const post = (socketPath: string, path: string, body: object): Promise<ControlAnswer> =>
  new Promise((done, fail) => {
    const call = request(
      { socketPath, path, method: "POST", headers: { "content-type": "application/json" } },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => {
          try {
            done({ status: response.statusCode ?? 0, body: JSON.parse(text) });
          } catch (error) {
            fail(error);
          }
        });
      },
    );
    call.on("error", fail);
    call.end(JSON.stringify(body));
  });
