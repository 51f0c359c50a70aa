import { readdirSync } from "node:fs";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { codeOf, HubError } from "@elara/contracts";
import { findConfig } from "@elara/runtime/config/load";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { type CommandOptions, DEFAULT_DATA_DIR, openSettings } from "../open-settings.ts";
import { say } from "../say.ts";
import { loadServices } from "../services.ts";

const Made = Type.Object({ token: Type.String() });
const Refused = Type.Object({ message: Type.String(), code: Type.Optional(Type.String()) });

/** `elara token NAME`: asks the running hub over its 0600 unix socket; never opens the store. Prints the token alone on a line. */
export async function token(
  name: string,
  options: CommandOptions & { note: string; expiresIn?: string },
): Promise<void> {
  const expiresInSeconds = options.expiresIn === undefined ? undefined : Number(options.expiresIn);
  if (expiresInSeconds !== undefined && !(Number.isInteger(expiresInSeconds) && expiresInSeconds > 0)) {
    throw new HubError("FIELD_INVALID", {
      operator: `--expires-in: "${options.expiresIn}" is no whole number of seconds above 0.`,
    });
  }
  const dataDir = await dataDirOf(options);
  const answer = await ask(dataDir, { name, note: options.note, expiresInSeconds });
  if (Value.Check(Made, answer.body)) return say(answer.body.token);
  const refused = Value.Check(Refused, answer.body) ? answer.body : { message: `status ${answer.status}` };
  throw new HubError(refused.code ?? "BAD_REQUEST", { message: refused.message, operator: refused.message });
}

async function dataDirOf(options: CommandOptions): Promise<string> {
  if (options.data !== undefined) return resolve(options.data);
  const file = findConfig(options.config);
  if (file === undefined) return resolve(DEFAULT_DATA_DIR);
  return (await openSettings(options, await loadServices(), [])).settings.hub.dataDir;
}

/** The first control socket that answers. Throws HUB_NOT_RUNNING. */
async function ask(dataDir: string, body: object): Promise<{ status: number; body: unknown }> {
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
      return await post(join(folder, socket), "/token", body);
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

const post = (socketPath: string, path: string, body: object): Promise<{ status: number; body: unknown }> =>
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
