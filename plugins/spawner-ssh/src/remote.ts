import type { Launch, LaunchOrder, LogOrder, LookOrder, Wish } from "@elara/sdk/launcher";
import {
  LaunchAnswer,
  LogAnswer,
  LookAnswer,
  logLines,
  PYTHON_TOO_OLD,
  readAnswer,
  remoteLauncher,
} from "@elara/sdk/launcher";
import type { Ssh } from "@elara/ssh";
import type { Static, TSchema } from "typebox";
import { codeOf, fromSsh, sshError } from "./errors.ts";
import type { Options } from "./options.ts";
import type { Login } from "./places.ts";
import type { Silences } from "./silences.ts";

type Accepted<S extends TSchema> = Extract<Static<S>, { ok: true }>;

/** The launcher on other machines. Throws errors of this plugin: that it could not be asked, or that it refused. */
export function remote(
  ssh: Ssh,
  config: Pick<Options, "python" | "minUid" | "commandSeconds">,
  { heed }: Pick<Silences, "heed">,
) {
  async function ask<S extends TSchema>(
    schema: S,
    { place, account, dir }: Login,
    order: Wish<LaunchOrder | LookOrder | LogOrder>,
    signal?: AbortSignal,
  ): Promise<Accepted<S>> {
    // Only of a start: what takes back what one made speaks of more than itself.
    const nothingMade = order.action === "start";
    const asked = { ...order, runDir: dir, minUid: config.minUid };
    const { argv, stdin } = await remoteLauncher(config.python, asked);
    const command = { argv, stdin, deadlineMs: config.commandSeconds * 1000, ...(signal && { signal }) };
    const { host, name } = place;
    const { exitCode, stdout, stderr } = await heed(name, () =>
      ssh.run({ host, port: place.port, account }, command),
    ).catch((error: unknown) => {
      throw fromSsh(error, name);
    });
    // 126 and 127 are the shell's: it found no Python, or none it may run.
    if (exitCode === 126 || exitCode === 127 || stderr.includes(PYTHON_TOO_OLD))
      throw sshError("SSH_PYTHON_MISSING", { host: name, detail: stderr, nothingMade });
    const answer: { ok: boolean } = readAnswer(schema, stdout, stderr);
    if (isAccepted<S>(answer)) return answer;
    const { code, message, begun } = { code: "", message: "", begun: true, ...answer };
    const more = { host: name, detail: message, nothingMade: nothingMade && !begun };
    throw sshError(codeOf(code), more);
  }
  return {
    /** Only connects; nothing is asked yet, and its errors promise that. */
    connect: ({ place: { host, port, name }, account }: Login, signal?: AbortSignal) =>
      heed(name, () =>
        ssh.connect(
          { host, port, account },
          { deadlineMs: config.commandSeconds * 1000, ...(signal && { signal }) },
        ),
      ).catch((error: unknown) => {
        if (signal?.aborted) throw sshError("SSH_CANCELLED", { cause: error, nothingMade: true });
        throw fromSsh(error, name, { nothingMade: true });
      }),
    /** The launcher of this account there. */
    at:
      (login: Login): Launch =>
      (order) =>
        ask(LaunchAnswer, login, order),
    look: (login: Login, tags: readonly string[], signal?: AbortSignal) =>
      ask(LookAnswer, login, { action: "look", tags }, signal),
    async log(login: Login, tag: string, lines: number, signal: AbortSignal) {
      const answer = await ask(LogAnswer, login, { action: "log", tag, lines }, signal);
      return { lines: logLines(answer.lines, lines) };
    },
  };
}
export type Remote = ReturnType<typeof remote>;

const isAccepted = <S extends TSchema>(answer: { ok: boolean }): answer is Accepted<S> => answer.ok;
