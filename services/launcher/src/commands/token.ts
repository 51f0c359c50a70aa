import { resolve } from "node:path";
import { HubError } from "@elara/contracts";
import { findConfig } from "@elara/runtime/config/load";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { askHub } from "../control-socket.ts";
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
  const answer = await askHub(dataDir, "/token", { name, note: options.note, expiresInSeconds });
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
