import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { HubError } from "@elara/contracts";
import { hashPassword as hashOf } from "@elara/sdk";
import { say } from "../say.ts";

/** `elara hash-password`: one line of standard input, unseen at a terminal, as it may stand in a configuration. */
export async function hashPassword(): Promise<void> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write("Password: ");
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: unseen, terminal: stdin.isTTY === true });
  lines.once("SIGINT", () => lines.close());
  let password = "";
  for await (const line of lines) {
    password = line;
    break;
  }
  lines.close();
  if (stdin.isTTY) stderr.write("\n");
  if (password === "" || password.length > 1024)
    throw new HubError("FIELD_INVALID", {
      operator:
        "elara hash-password: the password has 1 to 1024 characters. Type it, or give one line on standard input.",
    });
  say(await hashOf(password));
}
